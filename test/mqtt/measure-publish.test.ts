import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { createPublication, measurePublish, type Publication } from '../../src/mqtt/publication.js'
import { createWaitingPublication } from '../../src/mqtt/waiting-publication.js'
import { createFakeClock } from '../helpers/fake-clock.js'

/** The packet that a publication becomes on the wire. */
function encode (publication: Publication): Buffer {
  return mqttPacket.generate({
    cmd: 'publish',
    qos: 1,
    dup: false,
    retain: false,
    messageId: 65_535,
    topic: publication.topic,
    payload: publication.payload,
    properties: {
      messageExpiryInterval: 86_400,
      contentType: publication.contentType,
      userProperties: { ...publication.userProperties },
      ...(publication.replyTo !== undefined && { responseTopic: publication.replyTo.topic, correlationData: Buffer.from(publication.id) })
    }
  }, { protocolVersion: 5 })
}

/** A publication of small parts, some of which a test makes large. */
function createPublicationOf (parts: Partial<Publication>): Publication {
  return { id: '', topic: 'd', payload: '', contentType: 't', userProperties: { id: 'i' }, expiresAtMs: 0, ...parts }
}

/** Those of the publications that are measured wrongly, by the length of their packet. */
function findMismeasured (publications: Iterable<Publication>): string[] {
  return [...publications]
    .map(publication => ({ measured: measurePublish(publication), actual: encode(publication).length }))
    .filter(({ measured, actual }) => measured !== actual)
    .map(({ measured, actual }) => `${measured} instead of ${actual}`)
}

/** One publication for each length, from the first to the last. */
function * range (first: number, last: number, create: (text: string) => Partial<Publication>) {
  for (let length = first; length <= last; length++) yield createPublicationOf(create('x'.repeat(length)))
}

t.test('measures a publish at each boundary of the remaining length', async t => {
  const atPayload = (length: number) => createPublicationOf({ payload: 'x'.repeat(length) })
  const boundaries = [
    { remaining: 127, packet: 129 },
    { remaining: 128, packet: 131 },
    { remaining: 16_383, packet: 16_386 },
    { remaining: 16_384, packet: 16_388 },
    { remaining: 65_535, packet: 65_539 }
  ]
  const overhead = encode(atPayload(0)).length - 2 // the first byte, and one for the remaining length
  for (const { remaining, packet } of boundaries) {
    const publication = atPayload(remaining - overhead)
    t.equal(encode(publication).length, packet, `what a remaining length of ${remaining} takes`)
    t.equal(measurePublish(publication), packet)
  }
})

t.test('measures a publish with a payload of any length', async t => {
  t.strictSame(findMismeasured(range(0, 300, payload => ({ payload }))), [])
  t.strictSame(findMismeasured(range(16_300, 16_400, payload => ({ payload }))), [])
})

t.test('measures a publish with a topic of any length', async t => {
  t.strictSame(findMismeasured(range(1, 300, topic => ({ topic }))), [])
  t.strictSame(findMismeasured(range(16_300, 16_400, topic => ({ topic }))), [])
  t.strictSame(findMismeasured(range(65_535, 65_535, topic => ({ topic }))), [])
})

t.test('measures a publish with properties of any length', async t => {
  t.strictSame(findMismeasured(range(0, 300, traceparent => ({ userProperties: { traceparent } }))), [])
  t.strictSame(findMismeasured(range(16_300, 16_400, traceparent => ({ userProperties: { traceparent } }))), [])
  t.strictSame(findMismeasured(range(0, 130, name => ({ userProperties: { [name]: 'a', id: 'b', request_id: name } }))), [])
  t.strictSame(findMismeasured(range(1, 130, contentType => ({ contentType }))), [])
})

t.test('measures bytes, not characters', async t => {
  t.strictSame(findMismeasured([
    createPublicationOf({ topic: 'Geräte/42' }),
    createPublicationOf({ payload: '€'.repeat(50) }),
    createPublicationOf({ userProperties: { größe: '😀' } })
  ]), [])
})

t.test('measures the publications that commands become', async t => {
  const { clock } = createFakeClock()
  const imei = '26372637216372637126376237'
  const command = { imei, topic: `devices/${imei}/commands`, microOp: 'push_down', ttlS: 30, receivedAtMs: 0, requestId: 'r'.repeat(128) }
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  t.strictSame(findMismeasured([
    createPublication(command, { format: 'text', clock }),
    createPublication(command, { format: 'json', clock }),
    createPublication({ ...command, traceparent }, { format: 'json', clock }),
    createWaitingPublication(command, `messenger/a1b2c3d4e5f6/replies/${imei}`, { format: 'text', clock }),
    createWaitingPublication(command, `messenger/a1b2c3d4e5f6/replies/${imei}`, { format: 'json', clock })
  ]), [])
})
