import t from 'tap'
import { createAnswer, DEFAULT_REPLY, readTemplate } from '../../../src/cli/device/answer.js'
import { isLate, readCommand, type Message, type ReceivedCommand } from '../../../src/cli/device/command.js'
import { createRecentIds } from '../../../src/cli/device/recent-ids.js'

const TOPIC = 'messenger/1/replies/gate'
const CORRELATION = Buffer.from('id-1')
const text = (payload: string, properties?: Message['properties']): Message => ({ payload: Buffer.from(payload), ...(properties !== undefined && { properties }) })
const json = (document: object, properties?: Message['properties']) => text(JSON.stringify(document), properties)
const DOCUMENT = { id: 'id-1', imei: 'gate', micro_op: 'push_down', issued_at: 100, expires_at: 130, reply_to: TOPIC }

t.test('reads a command', async t => {
  t.test('from text with MQTT 5 properties', async t => {
    const properties = { responseTopic: TOPIC, correlationData: CORRELATION, userProperties: { id: 'id-1', request_id: 'r' } }
    t.strictSame(readCommand(text('push_down', properties)), {
      id: 'id-1', microOp: 'push_down', expiresAt: undefined, replyPath: { topic: TOPIC, correlationData: CORRELATION }
    })
  })

  t.test('from text alone', async t => {
    t.strictSame(readCommand(text('push_down')), { id: undefined, microOp: 'push_down', expiresAt: undefined, replyPath: undefined })
  })

  t.test('from a document', async t => {
    t.strictSame(readCommand(json(DOCUMENT)), {
      id: 'id-1', microOp: 'push_down', expiresAt: 130, replyPath: { topic: TOPIC, correlationData: undefined }
    })
  })

  t.test('from a document with space before it', async t => {
    t.equal(readCommand(text(' \r\n\t{"micro_op":"push_down"}')).microOp, 'push_down')
  })

  t.test('preferring the Response Topic to the one in the document', async t => {
    const { replyPath } = readCommand(json(DOCUMENT, { responseTopic: 'other', correlationData: CORRELATION }))
    t.strictSame(replyPath, { topic: 'other', correlationData: CORRELATION })
  })

  t.test('from what has no known form, as text', async t => {
    for (const payload of ['', '[1]', 'null', '"push_down"', '{', '{push_down}', '{"micro_op":1,"id":2,"expires_at":"soon","reply_to":3}']) {
      t.strictSame(readCommand(text(payload)), { id: undefined, microOp: payload, expiresAt: undefined, replyPath: undefined }, payload)
    }
    t.equal(readCommand(text('x', { userProperties: { id: ['a', 'b'] } })).id, undefined, 'two ids are none')
  })

  t.test('without a way to answer where it cannot be published to', async t => {
    for (const topic of ['', 'a/+/b', '#', 'a\0']) {
      t.equal(readCommand(text('x', { responseTopic: topic, correlationData: CORRELATION })).replyPath, undefined)
      t.equal(readCommand(json({ reply_to: topic })).replyPath, undefined)
    }
    t.equal(readCommand(text('x', { responseTopic: TOPIC })).replyPath, undefined, 'nobody could tell what it answers')
  })
})

t.test('is late when the second of expires_at is over, and never without one', async t => {
  const command = readCommand(json(DOCUMENT))
  t.equal(isLate(command, 130_999), false)
  t.equal(isLate(command, 131_000), true)
  t.equal(isLate(readCommand(text('push_down')), Number.MAX_SAFE_INTEGER), false)
})

t.test('answers', async t => {
  const answer = (template: string, imei: string, command: ReceivedCommand) => createAnswer(readTemplate(template), imei, command)
  const mqtt5 = readCommand(text('push_down', { responseTopic: TOPIC, correlationData: CORRELATION, userProperties: { id: 'id-1' } }))
  const mqtt3 = readCommand(json(DOCUMENT))

  t.test('nobody who does not ask', async t => {
    t.equal(answer(DEFAULT_REPLY, 'gate', readCommand(text('push_down'))), undefined)
  })

  t.test('with the Correlation Data over MQTT 5', async t => {
    t.strictSame(answer(DEFAULT_REPLY, 'gate', mqtt5), {
      topic: TOPIC, correlationData: CORRELATION, payload: '{"ok":true,"imei":"gate","micro_op":"push_down"}', contentType: 'application/json'
    })
    t.strictSame(answer('{imei} did {micro_op} of {id}, {other}', 'gate', mqtt5), {
      topic: TOPIC, correlationData: CORRELATION, payload: 'gate did push_down of id-1, {other}', contentType: 'text/plain'
    })
  })

  t.test('with the id where the document asks', async t => {
    t.strictSame(answer('[1, {"a": "{id}"}]', 'gate', mqtt3), {
      topic: TOPIC, correlationData: undefined, payload: '{"id":"id-1","result":[1, {"a": "id-1"}]}', contentType: 'application/json'
    })
    t.equal(answer('say "{micro_op}"', 'gate', mqtt3)?.payload, '{"id":"id-1","result":"say \\"push_down\\""}')
    t.equal(answer('{id}', 'gate', readCommand(json({ reply_to: TOPIC })))?.payload, '{"id":null,"result":""}')
  })

  t.test('with JSON, whatever the operation is called', async t => {
    const odd = readCommand(text('a"b\\c', { responseTopic: TOPIC, correlationData: CORRELATION }))
    t.strictSame(JSON.parse(String(answer(DEFAULT_REPLY, 'gate', odd)?.payload)), { ok: true, imei: 'gate', micro_op: 'a"b\\c' })
  })
})

t.test('remembers the last ids', async t => {
  const recent = createRecentIds(2)
  t.strictSame(['a', 'a', 'b', 'a', 'c', 'a', 'c'].map(id => recent.add(id)), [true, false, true, false, true, true, false])
})
