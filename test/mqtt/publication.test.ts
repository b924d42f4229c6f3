import t from 'tap'
import { createPublication, type Command, type PublicationOptions } from '../../src/mqtt/publication.js'
import { createWaitingPublication } from '../../src/mqtt/waiting-publication.js'
import { createFakeClock } from '../helpers/fake-clock.js'

const WALL_MS = Date.UTC(2026, 0, 1, 12, 0, 0, 250)
const WALL_S = Date.UTC(2026, 0, 1, 12) / 1000
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const COMMAND: Command = { imei: '42', topic: 'devices/42/commands', microOp: 'push_down', ttlS: 30, receivedAtMs: 0, requestId: 'request-1' }

function setUp (format: PublicationOptions['format'] = 'text') {
  const { clock, advance } = createFakeClock(WALL_MS)
  const options: PublicationOptions = { format, clock }
  return { advance, options }
}

t.test('makes a publication with the bare operation as its text', async t => {
  const { options } = setUp()
  const { id, ...publication } = createPublication(COMMAND, options)
  t.ok(UUID_V7.test(id), id)
  t.strictSame(publication, {
    topic: 'devices/42/commands',
    payload: 'push_down',
    contentType: 'text/plain',
    userProperties: { id, request_id: 'request-1' },
    expiresAtMs: 30_000
  })
})

t.test('makes a publication with the operation in a JSON document', async t => {
  const { options } = setUp('json')
  const { id, ...publication } = createPublication(COMMAND, options)
  t.ok(UUID_V7.test(id), id)
  t.strictSame(publication, {
    topic: 'devices/42/commands',
    payload: `{"id":"${id}","imei":"42","micro_op":"push_down","issued_at":${WALL_S},"expires_at":${WALL_S + 30}}`,
    contentType: 'application/json',
    userProperties: { id, request_id: 'request-1' },
    expiresAtMs: 30_000
  })
})

t.test('counts the times from receipt, however much later the publication is made', async t => {
  const { advance, options } = setUp('json')
  advance(1000)
  const command = { ...COMMAND, ttlS: 5, receivedAtMs: options.clock.nowMs() }
  advance(3700)
  const { id, payload, expiresAtMs } = createPublication(command, options)
  t.equal(payload, `{"id":"${id}","imei":"42","micro_op":"push_down","issued_at":${WALL_S + 1},"expires_at":${WALL_S + 6}}`)
  t.equal(expiresAtMs, 6000)
})

t.test('rounds the second of receipt down', async t => {
  for (const [passedMs, issuedAt] of [[749, WALL_S], [750, WALL_S + 1]] as const) {
    const { advance, options } = setUp('json')
    advance(passedMs)
    const { id, payload } = createPublication({ ...COMMAND, receivedAtMs: passedMs }, options)
    t.equal(payload, `{"id":"${id}","imei":"42","micro_op":"push_down","issued_at":${issuedAt},"expires_at":${issuedAt + 30}}`)
  }
})

t.test('gives a whole second to each time when the clocks have fractions', async t => {
  const { options } = setUp('json')
  const clock = { ...options.clock, nowMs: () => 1234.567, wallMs: () => WALL_MS }
  const { id, payload, expiresAtMs } = createPublication({ ...COMMAND, receivedAtMs: 1000.25 }, { ...options, clock })
  t.equal(payload, `{"id":"${id}","imei":"42","micro_op":"push_down","issued_at":${WALL_S},"expires_at":${WALL_S + 30}}`)
  t.equal(expiresAtMs, 31_000.25)
})

t.test('gives each command an id of its own, also when nothing else differs', async t => {
  const { options } = setUp()
  const ids = Array.from({ length: 1000 }, () => createPublication(COMMAND, options).id)
  t.equal(new Set(ids).size, 1000)
})

t.test('passes the trace context on where the caller sent one', async t => {
  const { options } = setUp()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { id, userProperties } = createPublication({ ...COMMAND, traceparent }, options)
  t.strictSame(userProperties, { id, request_id: 'request-1', traceparent })
})

t.test('asks for an answer in the JSON document, and in the text not at all', async t => {
  for (const format of ['json', 'text'] as const) {
    const { options } = setUp(format)
    const { id, payload, replyTo, expiresAtMs } = createWaitingPublication(COMMAND, 'messenger/a1/replies/42', options)
    t.strictSame(replyTo, { topic: 'messenger/a1/replies/42', isWritten: false })
    t.equal(expiresAtMs, 30_000)
    t.equal(payload, format === 'text'
      ? 'push_down'
      : `{"id":"${id}","imei":"42","micro_op":"push_down","issued_at":${WALL_S},"expires_at":${WALL_S + 30},"reply_to":"messenger/a1/replies/42"}`)
  }
})
