import mqtt from 'mqtt'
import type { Scope } from '../helpers/scope.js'
import { until } from '../helpers/until.js'

/** One publish, as it came to a device. */
export interface Delivery {
  /** `X-Request-Id` of the exchange that asked for it. */
  readonly requestId: string
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
  /** Seconds after which the broker would not have delivered it. */
  readonly expiryS: number | undefined
}

/** What it answers to each command for which somebody waits. */
export const REPLY = 'done'

/** Subscribes to everything; what it hears is in the order of the publishes. It also is every device. */
export async function startWitness (scope: Scope, url: string) {
  let heard: Delivery[] = []
  const client = mqtt.connect(url, { protocolVersion: 5 })
  scope.teardown(() => { client.end(true) })
  client.on('error', () => {})
  client.on('message', (topic, payload, { retain, properties }) => {
    // Its own replies come back to it.
    if (topic.startsWith('messenger/')) return
    const { responseTopic, correlationData } = properties ?? {}
    if (responseTopic !== undefined && correlationData !== undefined) client.publish(responseTopic, REPLY, { properties: { correlationData } })
    heard.push({
      requestId: String(properties?.userProperties?.request_id),
      topic,
      payload: payload.toString(),
      retain,
      expiryS: properties?.messageExpiryInterval
    })
  })
  let isConnected = false
  client.once('connect', () => { isConnected = true })
  await until(() => isConnected, 'the connection of the subscriber to its broker')
  await client.subscribeAsync('#', { qos: 1 })

  return {
    /** Forgets all that was heard. */
    forget () { heard = [] },
    /** Waits for the publish of this request, and takes all that was heard before it. */
    async takeUntil (requestId: string): Promise<Delivery[]> {
      await until(() => heard.some(delivery => delivery.requestId === requestId), `the publish of ${requestId}`)
      const at = heard.findIndex(delivery => delivery.requestId === requestId)
      const taken = heard.slice(0, at)
      heard = heard.slice(at + 1)
      return taken
    }
  }
}
