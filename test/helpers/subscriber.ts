import mqtt, { type IClientOptions, type IPublishPacket } from 'mqtt'
import type { Test } from 'tap'
import { until } from './until.js'

/** A device: subscribed, QoS 1, on a real broker. Collects what it gets. */
export async function subscribe (t: Test, url: string, filter: string, options: IClientOptions = {}) {
  const received: IPublishPacket[] = []
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 20, ...options })
  t.teardown(() => { client.end(true) })
  // Before it is connected: what waited in a session comes together with the CONNACK.
  client.on('message', (_topic, _payload, packet) => { received.push(packet) })
  await new Promise((resolve, reject) => { client.once('connect', resolve).once('error', reject) })
  await client.subscribeAsync(filter, { qos: 1 })
  return {
    client,
    received,
    /** What was received so far, as text. */
    get payloads () { return received.map(packet => packet.payload.toString()) },
    /** Waits until so many messages have come. */
    count: (n: number) => until(() => received.length >= n, () => `${n} messages at the subscriber, of which ${received.length} came`)
  }
}
