import fc from 'fast-check'
import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { encodePublish, measurePublish, type PublishPacket } from '../../src/mqtt/encode-publish.js'
import { createPublication, propertiesOf } from '../../src/mqtt/publication.js'
import { createWaitingPublication } from '../../src/mqtt/waiting-publication.js'
import { createFakeClock } from '../helpers/fake-clock.js'

/** The packet as mqtt-packet writes it, the encoder of MQTT.js. */
function generate ({ packetId, topic, payload, properties }: PublishPacket): Buffer {
  const packet = { cmd: 'publish', qos: 1, dup: false, retain: false, messageId: packetId, topic, payload } as const
  if (properties === undefined) return mqttPacket.generate(packet)
  const { messageExpiryInterval, contentType, userProperties, responseTopic, correlationData } = properties
  return mqttPacket.generate({
    ...packet,
    properties: {
      messageExpiryInterval,
      contentType,
      userProperties: { ...userProperties },
      ...(responseTopic !== undefined && { responseTopic }),
      ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData) })
    }
  }, { protocolVersion: 5 })
}

/** The packet as it is written here, between other bytes. */
function encode (packet: PublishPacket): Buffer {
  const buffer = Buffer.alloc(150_000, 0xEE)
  const begin = 3
  let end = begin
  encodePublish({
    buffer,
    reserve (bytes) {
      end += bytes
      return begin
    }
  }, packet)
  const others = Buffer.concat([buffer.subarray(0, begin), buffer.subarray(end)])
  if (!others.equals(Buffer.alloc(others.length, 0xEE))) throw new Error('it wrote beyond what it had reserved')
  return buffer.subarray(begin, end)
}

/** Those of the packets that are not written, or not measured, as mqtt-packet does it. */
function findWrong (packets: Iterable<PublishPacket>): string[] {
  return [...packets].filter(isWrong).map(packet => `${encode(packet).length} instead of ${generate(packet).length} bytes, or other ones`)
}

function isWrong (packet: PublishPacket): boolean {
  const expected = generate(packet)
  return !encode(packet).equals(expected) || measurePublish(packet) !== expected.length
}

type Parts = Partial<Omit<PublishPacket, 'properties'> & PublishPacket['properties']>

/** A packet of small parts, some of which a test makes large. */
function createPacket ({ packetId = 65_535, topic = 'd', payload = '', ...properties }: Parts): PublishPacket {
  const small = { messageExpiryInterval: 86_400, contentType: 't', userProperties: { id: 'i' }, responseTopic: undefined, correlationData: undefined }
  return { packetId, topic, payload, properties: { ...small, ...properties } }
}

/** One packet for each length, from the first to the last. */
function * range (first: number, last: number, create: (text: string) => Parts) {
  for (let length = first; length <= last; length++) yield createPacket(create('x'.repeat(length)))
}

t.test('writes a publish at each boundary of the remaining length', async t => {
  const boundaries = [
    { remaining: 127, length: 129 },
    { remaining: 128, length: 131 },
    { remaining: 16_383, length: 16_386 },
    { remaining: 16_384, length: 16_388 },
    { remaining: 65_535, length: 65_539 }
  ]
  const overhead = generate(createPacket({})).length - 2 // the first byte, and one for the remaining length
  for (const { remaining, length } of boundaries) {
    const packet = createPacket({ payload: 'x'.repeat(remaining - overhead) })
    t.equal(generate(packet).length, length, `what a remaining length of ${remaining} takes`)
    t.strictSame(findWrong([packet]), [])
  }
})

t.test('writes a publish with a payload of any length', async t => {
  t.strictSame(findWrong(range(0, 300, payload => ({ payload }))), [])
  t.strictSame(findWrong(range(16_300, 16_400, payload => ({ payload }))), [])
})

t.test('writes a publish with a topic of any length', async t => {
  t.strictSame(findWrong(range(1, 300, topic => ({ topic }))), [])
  t.strictSame(findWrong(range(16_300, 16_400, topic => ({ topic }))), [])
  t.strictSame(findWrong(range(65_535, 65_535, topic => ({ topic }))), [])
})

t.test('writes a publish with properties of any length', async t => {
  t.strictSame(findWrong(range(0, 300, traceparent => ({ userProperties: { traceparent } }))), [])
  t.strictSame(findWrong(range(16_300, 16_400, traceparent => ({ userProperties: { traceparent } }))), [])
  t.strictSame(findWrong(range(0, 130, name => ({ userProperties: { [name]: 'a', id: 'b', request_id: name } }))), [])
  t.strictSame(findWrong(range(1, 130, contentType => ({ contentType }))), [])
  t.strictSame(findWrong(range(1, 130, responseTopic => ({ responseTopic, correlationData: responseTopic }))), [])
})

t.test('writes a publish of MQTT 3.1.1, without properties', async t => {
  const packetIds = [1, 255, 256, 65_535]
  t.strictSame(findWrong(packetIds.map(packetId => ({ packetId, topic: 'devices/1/commands', payload: 'push_down', properties: undefined }))), [])
})

t.test('counts bytes, not characters', async t => {
  t.strictSame(findWrong([
    createPacket({ topic: 'Geräte/42' }),
    createPacket({ payload: '€'.repeat(50) }),
    createPacket({ userProperties: { größe: '😀' } })
  ]), [])
})

t.test('writes whatever is published as MQTT.js does', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 100 })
  const packet = fc.record({
    packetId: fc.integer({ min: 1, max: 65_535 }),
    topic: text.filter(topic => topic !== ''),
    payload: text,
    properties: fc.record({
      messageExpiryInterval: fc.integer({ min: 1, max: 86_400 }),
      contentType: text.filter(contentType => contentType !== ''),
      userProperties: fc.dictionary(text, text, { minKeys: 1, noNullPrototype: true }),
      responseTopic: fc.option(text.filter(topic => topic !== ''), { nil: undefined }),
      correlationData: fc.option(fc.uuid(), { nil: undefined })
    })
  })
  fc.assert(fc.property(packet, packet => findWrong([packet]).length === 0))
})

t.test('writes the publications that commands become', async t => {
  const { clock } = createFakeClock()
  const imei = '26372637216372637126376237'
  const command = { imei, topic: `devices/${imei}/commands`, microOp: 'push_down', ttlS: 30, receivedAtMs: 0, requestId: 'r'.repeat(128) }
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const publications = [
    createPublication(command, { format: 'text', clock }),
    createPublication(command, { format: 'json', clock }),
    createPublication({ ...command, traceparent }, { format: 'json', clock }),
    createWaitingPublication(command, `messenger/a1b2c3d4e5f6/replies/${imei}`, { format: 'text', clock }),
    createWaitingPublication(command, `messenger/a1b2c3d4e5f6/replies/${imei}`, { format: 'json', clock })
  ]
  t.strictSame(findWrong(publications.map(publication => ({ packetId: 1, ...publication, properties: propertiesOf(publication, 30) }))), [])
})
