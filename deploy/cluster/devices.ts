import mqtt from 'mqtt'
import type { Scope } from '../../test/helpers/scope.js'
import { until } from '../../test/helpers/until.js'
import { DEVICES } from './broker-nodes.js'
import { identify, type Sighting } from './recorder.js'

/** Between two attempts to reach a node, in milliseconds. */
const RECONNECT_MS = 200

export type Devices = Awaited<ReturnType<typeof startDevices>>

/**
 * Every device at once, in a session that outlives its connection: what was acknowledged
 * while it moves from one node to the next has to wait for it. It takes the nodes in turn.
 */
export async function startDevices (scope: Scope, ports: readonly number[]) {
  const deliveries: Sighting[] = []
  const client = mqtt.connect({
    servers: ports.map(port => ({ host: '127.0.0.1', port })),
    ...DEVICES,
    clientId: 'devices',
    protocolVersion: 4,
    clean: false,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: 5_000
  })
  scope.teardown(() => { client.end(true) })
  let isSubscribed = false
  client.on('error', () => {}) // refused while a node is down
  client.on('close', () => { isSubscribed = false })
  client.on('connect', () => {
    client.subscribeAsync('devices/+/commands', { qos: 1 }).then(() => { isSubscribed = true }, () => {})
  })
  client.on('message', (topic, payload) => { deliveries.push({ ...identify(topic, payload), atMs: performance.now() }) })
  await until(() => isSubscribed, 'the subscription', 30_000)
  return {
    deliveries,
    /** Waits until it is connected again. */
    subscribed: () => until(() => isSubscribed, 'the subscription', 60_000)
  }
}
