import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import { createSplitter, readPubacks } from '../../src/mqtt/read-pubacks.js'

const generate = (packet: Packet) => mqttPacket.generate(packet, { protocolVersion: 5 })
const puback = (messageId: number, reasonCode = 0) => generate({ cmd: 'puback', messageId, reasonCode })
const pingresp = generate({ cmd: 'pingresp' })
const publish = (length: number) => generate({ cmd: 'publish', qos: 0, dup: false, retain: false, topic: 'replies/1', payload: 'x'.repeat(length) })

/** What is taken and what is left of chunks, where the publishes with these identifiers are in flight. */
function split (chunks: readonly Buffer[], inFlight: readonly number[] = [1, 2, 3, 0xFFFF]) {
  const taken: Array<[number, number]> = []
  const splitter = createSplitter((packetId, reasonCode) => {
    if (!inFlight.includes(packetId)) return false
    taken.push([packetId, reasonCode])
    return true
  })
  return { rest: Buffer.concat(chunks.map(splitter)).toString('hex'), taken }
}

/** A text cut into parts of one length. */
function cut (bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => bytes.subarray(index * length, (index + 1) * length))
}

t.test('takes the PUBACKs that accept a publish in flight', async t => {
  const bytes = Buffer.concat([puback(1), puback(2, 0x10), Buffer.from([0x40, 4, 0xFF, 0xFF, 0, 0])])
  t.strictSame(split([bytes]), { rest: '', taken: [[1, 0], [2, 0x10], [0xFFFF, 0]] })
})

const LEFT: ReadonlyArray<[string, Buffer]> = [
  ['a PUBACK for what is not in flight', puback(9)],
  ['a refusal', puback(1, 0x87)],
  ['a PUBACK with properties', generate({ cmd: 'puback', messageId: 1, reasonCode: 0x10, properties: { reasonString: 'r' } })],
  ['a PUBACK with a Property Length but no properties of it', Buffer.from([0x40, 4, 0, 1, 0, 1])],
  ['a PUBACK with a long form of its length', Buffer.from([0x40, 0x82, 0, 0, 1])],
  ['a PUBACK that is too short', Buffer.from([0x40, 1, 0])],
  ['a PUBACK with a flag', Buffer.from([0x41, 2, 0, 1])],
  ['a ping\'s answer', pingresp],
  ['a message', publish(3)],
  ['a message with a length of two bytes', publish(300)],
  ['a message with a length of three bytes', publish(20_000)]
]
for (const [name, bytes] of LEFT) {
  t.test(`leaves ${name} to MQTT.js, and takes the PUBACK after it`, async t => {
    for (const length of [bytes.length + 4, 7, 1]) {
      t.strictSame(split(cut(Buffer.concat([bytes, puback(1)]), length)), { rest: bytes.toString('hex'), taken: [[1, 0]] }, `cut after each ${length} bytes`)
    }
  })
}

t.test('leaves everything to MQTT.js after a length that no packet can have', async t => {
  const bytes = Buffer.concat([Buffer.from([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1]), puback(1)])
  t.strictSame(split([bytes, puback(2)]), { rest: Buffer.concat([bytes, puback(2)]).toString('hex'), taken: [] })
})

t.test('takes and leaves the same however the bytes are cut', async () => {
  const packet = fc.oneof(
    fc.tuple(fc.constantFrom(1, 2, 3, 9), fc.constantFrom(0, 0x10, 0x80)).map(([id, code]) => puback(id, code)),
    fc.integer({ min: 0, max: 300 }).map(publish),
    fc.constant(pingresp)
  )
  fc.assert(fc.property(fc.array(packet), fc.integer({ min: 1, max: 10 }), (packets, length) => {
    const whole = split(packets)
    const inParts = split(cut(Buffer.concat(packets), length))
    return whole.rest === inParts.rest && JSON.stringify(whole.taken) === JSON.stringify(inParts.taken)
  }))
})

t.test('leaves the end of the stream to its reader', async t => {
  const stream = new PassThrough()
  const taken: number[] = []
  readPubacks(stream, packetId => taken.push(packetId) > 0)
  stream.write(Buffer.concat([puback(1), pingresp]))
  stream.end(puback(2))
  t.strictSame(Buffer.concat(await stream.toArray()), pingresp)
  t.strictSame(taken, [1, 2])
})
