import mqtt from 'mqtt'
import { until } from '../helpers/until.js'
import type { Scope } from '../helpers/scope.js'
import { identify, type Publication } from './recorder.js'

/** One delivery to a device. */
export type Delivery = Pick<Publication, 'id' | 'requestId' | 'topic' | 'atMs'>

export type Subscriber = Awaited<ReturnType<typeof startSubscriber>>

/** Between two attempts to reach the broker, in milliseconds. */
const RECONNECT_MS = 20

/** Every device at once: connected to the broker directly, past the link, it records each delivery. */
export async function startSubscriber (scope: Scope, url: string) {
  const deliveries: Delivery[] = []
  // A new session each time: the broker delivers nothing again, so what comes twice was published twice.
  const client = mqtt.connect(url, { protocolVersion: 5, clean: true, reconnectPeriod: RECONNECT_MS, resubscribe: false })
  scope.teardown(() => { client.end(true) })
  let isSubscribed = false
  client.on('error', () => {}) // refused while the broker is down
  client.on('close', () => { isSubscribed = false })
  client.on('connect', () => {
    client.subscribeAsync('devices/+/commands', { qos: 1 }).then(() => { isSubscribed = true }, () => {})
  })
  client.on('message', (_topic, _payload, packet) => {
    deliveries.push({ ...identify(packet), atMs: performance.now() })
  })
  const subscribed = () => until(() => isSubscribed, 'the subscription', 20_000)
  await subscribed()
  return {
    deliveries,
    /** Waits until it gets what is published, e.g. after a restart of the broker. */
    subscribed
  }
}
