import { randomUUID } from 'node:crypto'
import mqtt, { type IClientOptions, type IPublishPacket } from 'mqtt'
import type { Test } from 'tap'
import { until } from './until.js'

/** Where the caller wants its answers. */
export const REPLY_PREFIX = 'messenger/test/replies'

export const commandTopic = (imei: string) => `devices/${imei}/commands`

/** Somebody at the broker who sends commands as the messenger does where it waits, and collects the answers. */
export async function startCaller (t: Test, url: string, options: IClientOptions = {}) {
  const replies: IPublishPacket[] = []
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  t.teardown(() => { client.end(true) })
  client.on('message', (_topic, _payload, packet) => { replies.push(packet) })
  await new Promise((resolve, reject) => { client.once('connect', resolve).once('error', reject) })
  await client.subscribeAsync(`${REPLY_PREFIX}/+`, { qos: 1 })

  /** A command as text, with MQTT 5 properties. */
  async function sendText (imei: string, microOp: string, id: string = randomUUID()): Promise<string> {
    await client.publishAsync(commandTopic(imei), microOp, {
      qos: 1,
      properties: {
        contentType: 'text/plain',
        userProperties: { id },
        responseTopic: `${REPLY_PREFIX}/${imei}`,
        correlationData: Buffer.from(id)
      }
    })
    return id
  }

  /** A command as a JSON document, without properties: as a 3.1.1 device sees it. */
  async function sendJson (imei: string, microOp: string, members: object = {}): Promise<string> {
    const id = randomUUID()
    const issuedAt = Math.floor(Date.now() / 1000)
    const document = { id, imei, micro_op: microOp, issued_at: issuedAt, expires_at: issuedAt + 30, reply_to: `${REPLY_PREFIX}/${imei}`, ...members }
    await client.publishAsync(commandTopic(imei), JSON.stringify(document), { qos: 1 })
    return id
  }

  return {
    client,
    sendText,
    sendJson,
    replies,
    /** Waits for so many answers, and says for each its topic, its Correlation Data as text, and its payload. */
    async answers (count: number) {
      await until(() => replies.length >= count, () => `${count} answers, of which ${replies.length} came`)
      return replies.map(({ topic, payload, properties }) => [topic, properties?.correlationData?.toString(), JSON.parse(payload.toString())])
    }
  }
}
