import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import { createRecorder } from './recorder.js'

const generate = (packet: Packet) => mqttPacket.generate(packet, { protocolVersion: 5 })
const puback = (messageId: number, reasonCode = 0) => generate({ cmd: 'puback', messageId, reasonCode })
const publish = (messageId: number, id: string, dup = false) => generate({
  cmd: 'publish',
  topic: `devices/${id}/commands`,
  payload: 'push_down',
  qos: 1,
  dup,
  retain: false,
  messageId,
  properties: { userProperties: { id, request_id: `request-${id}` } }
})

/** What is compared: all but the time. */
const summary = ({ publications }: ReturnType<typeof createRecorder>) => publications.map(({ id, connection, reasonCode }) => ({ id, connection, reasonCode }))

t.test('records a PUBLISH with what joins it with its answer', async t => {
  const recorder = createRecorder()
  const { toBroker } = recorder.listen(() => {})
  const beforeMs = performance.now()
  toBroker(publish(1, 'a'))
  const [{ atMs, ...publication } = { atMs: 0 }] = recorder.publications
  t.strictSame(publication, { id: 'a', requestId: 'request-a', topic: 'devices/a/commands', connection: 1, reasonCode: undefined, heardAtMs: undefined })
  t.ok(atMs >= beforeMs && atMs <= performance.now())
})

t.test('records a PUBLISH that comes byte by byte with its last byte, and one that is cut never', async t => {
  const recorder = createRecorder()
  const { toBroker } = recorder.listen(() => {})
  const bytes = publish(1, 'a')
  for (const byte of bytes.subarray(0, -1)) toBroker(Buffer.from([byte]))
  t.strictSame(summary(recorder), [])
  toBroker(bytes.subarray(-1))
  t.strictSame(summary(recorder), [{ id: 'a', connection: 1, reasonCode: undefined }])
  toBroker(publish(2, 'b').subarray(0, -1))
  t.equal(recorder.publications.length, 1)
})

t.test('joins each PUBACK with the publish of its connection that it answers', async t => {
  const recorder = createRecorder()
  const one = recorder.listen(() => {})
  const two = recorder.listen(() => {})
  one.toBroker(Buffer.concat([publish(1, 'a'), publish(2, 'b')]))
  two.toBroker(publish(1, 'c'))
  one.fromBroker(puback(2, 0x97))
  two.fromBroker(puback(1, 0x10))
  t.strictSame(summary(recorder), [
    { id: 'a', connection: 1, reasonCode: undefined },
    { id: 'b', connection: 1, reasonCode: 0x97 },
    { id: 'c', connection: 2, reasonCode: 0x10 }
  ])
})

t.test('records when a PUBACK is passed on to the server, which may be later, or never', async t => {
  const recorder = createRecorder()
  const { toBroker, fromBroker, toServer } = recorder.listen(() => {})
  toBroker(Buffer.concat([publish(1, 'a'), publish(2, 'b')]))
  fromBroker(Buffer.concat([puback(1), puback(2)]))
  const [first, second] = recorder.publications
  t.strictSame([first?.heardAtMs, second?.heardAtMs], [undefined, undefined])
  const beforeMs = performance.now()
  toServer(generate({ cmd: 'pingresp' }))
  toServer(puback(1))
  t.ok(Number(first?.heardAtMs) >= beforeMs && Number(first?.heardAtMs) <= performance.now())
  t.equal(second?.heardAtMs, undefined)
})

t.test('takes the short PUBACK for a success', async t => {
  const recorder = createRecorder()
  const { toBroker, fromBroker } = recorder.listen(() => {})
  toBroker(publish(1, 'a'))
  fromBroker(Buffer.from([0x40, 0x02, 0x00, 0x01]))
  t.strictSame(summary(recorder), [{ id: 'a', connection: 1, reasonCode: 0 }])
})

t.test('records what is sent again, and the answer to a packet identifier that is used again', async t => {
  const recorder = createRecorder()
  const one = recorder.listen(() => {})
  one.toBroker(publish(1, 'a'))
  one.fromBroker(puback(1))
  one.toBroker(publish(1, 'b'))
  one.fromBroker(puback(7))
  const two = recorder.listen(() => {})
  two.toBroker(publish(1, 'b', true))
  two.fromBroker(puback(1))
  t.strictSame(summary(recorder), [
    { id: 'a', connection: 1, reasonCode: 0 },
    { id: 'b', connection: 1, reasonCode: undefined },
    { id: 'b', connection: 2, reasonCode: 0 }
  ])
})

t.test('tells when the broker accepts the connection, not when it refuses', async t => {
  const recorder = createRecorder()
  const accepted: string[] = []
  const connack = (reasonCode: number) => generate({ cmd: 'connack', reasonCode, sessionPresent: false })
  recorder.listen(() => { accepted.push('refused') }).fromBroker(connack(0x86))
  recorder.listen(() => { accepted.push('accepted') }).fromBroker(connack(0))
  t.strictSame(accepted, ['accepted'])
})

t.test('leaves empty what a PUBLISH of a stranger does not say', async t => {
  const recorder = createRecorder()
  const { toBroker } = recorder.listen(() => {})
  toBroker(generate({ cmd: 'publish', topic: 'a', payload: '', qos: 0, dup: false, retain: false }))
  t.strictSame(recorder.publications.map(({ id, requestId }) => ({ id, requestId })), [{ id: '', requestId: '' }])
})
