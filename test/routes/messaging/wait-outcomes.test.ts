import t from 'tap'
import { EXAMPLE, IMEI, send, TOPIC } from '../../helpers/app.js'
import { listen, openRaw, writeOut } from '../../helpers/raw-http.js'
import { startScriptedApp } from '../../helpers/scripted-app.js'
import { acknowledging } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const SENT = `Send \`push_down\` to topic \`${TOPIC}\``
const WAIT = { prefer: 'wait=10' }
const REPLY_TIMEOUT = {
  title: 'Reply timeout',
  status: 504,
  code: 'reply_timeout',
  detail: 'The broker acknowledged the command, and the device did not answer in time. It may or may not execute the command'
}

t.test('answers 504 reply_timeout at its time where the device is silent, and others meanwhile', async t => {
  const { broker, advance, app, log, published } = await startScriptedApp(t, acknowledging)
  const silent = send(app, EXAMPLE, WAIT)
  await published(1)
  advance(9_999)
  t.equal((await send(app)).statusCode, 200)
  const answered = send(app, EXAMPLE, WAIT)
  await published(3)
  const [connection] = broker.connections
  connection?.reply(broker.published[2], '"done"')
  t.strictSame((await answered).json(), { detail: SENT, reply: 'done' })
  advance(1)
  const { statusCode, headers, body } = await silent
  t.equal(statusCode, 504)
  t.strictSame(JSON.parse(body), REPLY_TIMEOUT)
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(headers['preference-applied'], 'wait=10')
  t.equal(headers['proxy-status'], 'messenger; error=http_response_timeout; details="no reply of the device"')
  const lines = log.answered().map(line => ({ ...line, reqId: '', commandId: '' }))
  t.strictSame(lines.at(-1), {
    reqId: '',
    method: 'POST',
    path: '/messaging/send',
    status: 504,
    sub: 'tester',
    imei: IMEI,
    micro_op: 'push_down',
    topic: TOPIC,
    commandId: '',
    outcome: 'accepted',
    reason: 'reply_timeout',
    hasDuration: true
  })
})

t.test('answers 504 delivery_unknown where neither PUBACK nor reply came, also before the publish time-out', async t => {
  for (const seconds of [2, 10]) {
    const { advance, app, published } = await startScriptedApp(t)
    const response = send(app, EXAMPLE, { prefer: `wait=${seconds}` })
    await published(1)
    advance(seconds * 1000)
    const { statusCode, headers, body } = await response
    t.strictSame([statusCode, JSON.parse(body).code], [504, 'delivery_unknown'])
    t.equal(headers['proxy-status'], 'messenger; error=connection_read_timeout')
    t.equal(headers['preference-applied'], `wait=${seconds}`)
  }
})

t.test('takes a reply for the proof that the command was accepted, before its PUBACK and after the time-out for that', async t => {
  for (const passedMs of [0, 6_000]) {
    const { broker, advance, app, published } = await startScriptedApp(t)
    const response = send(app, EXAMPLE, WAIT)
    await published(1)
    advance(passedMs)
    const [connection] = broker.connections
    connection?.reply(broker.published[0], '1')
    const { statusCode, body } = await response
    t.strictSame([statusCode, JSON.parse(body)], [200, { detail: SENT, reply: 1 }])
    t.equal(app.mqtt.inFlight, 1, 'its slot is kept until the PUBACK')
    connection?.puback(broker.published[0]?.messageId)
    await until(() => app.mqtt.inFlight === 0, 'the PUBACK')
  }
})

t.test('goes on waiting where the PUBACK comes late, and ends with what it says', async t => {
  for (const [reasonCode, expected] of [[0, 'reply_timeout'], [0x10, 'no_subscriber'], [0x87, undefined]] as const) {
    const { broker, advance, app, published } = await startScriptedApp(t)
    const response = send(app, EXAMPLE, WAIT)
    await published(1)
    advance(6_000)
    broker.connections[0]?.puback(broker.published[0]?.messageId, reasonCode)
    await until(() => app.mqtt.inFlight === 0, 'the PUBACK')
    if (reasonCode === 0) advance(4_000)
    t.equal((await response).json().code, expected)
  }
})

t.test('goes on waiting over a lost connection, and hears the reply on the next one', async t => {
  const { broker, advance, app, published } = await startScriptedApp(t, { onPublish (_packet, { socket }) { socket.destroy() } })
  const response = send(app, EXAMPLE, WAIT)
  await published(1)
  await until(() => !app.mqtt.isConnected, 'the end of the connection')
  advance(2_000)
  await until(() => broker.connections[1]?.subscribed.length === 1, 'the subscription of the next connection')
  t.strictSame(broker.connections[1]?.subscribed, broker.connections[0]?.subscribed)
  const [, connection] = broker.connections
  connection?.reply(broker.published[0], 'late but there')
  t.equal((await response).json().reply, 'late but there')
  t.equal(broker.published.length, 1)
})

t.test('answers 404 no_subscriber at once where the broker says that nobody is subscribed', async t => {
  const { broker, app } = await startScriptedApp(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x10) } })
  const { statusCode, headers, body } = await send(app, EXAMPLE, WAIT)
  t.equal(statusCode, 404)
  t.strictSame(JSON.parse(body), {
    title: 'No subscriber',
    status: 404,
    code: 'no_subscriber',
    detail: 'The broker took the command, and nobody was subscribed to it: there is no device to answer'
  })
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(headers['proxy-status'], 'messenger; details="no matching subscribers"')
  t.equal(headers['preference-applied'], 'wait=10')
  t.equal(broker.published.length, 1)
})

t.test('answers 406 as ever where nothing was sent', async t => {
  const { broker, app } = await startScriptedApp(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x87) } })
  const refused = await send(app, EXAMPLE, WAIT)
  t.strictSame([refused.statusCode, refused.body, refused.headers['preference-applied']], [406, '{"detail":"Somthing went wrong"}', 'wait=10'])
  t.equal(refused.headers['proxy-status'], 'messenger; error=proxy_configuration_error; details="not authorized"')
  broker.script.onConnect = () => { /* not again */ }
  broker.connections[0]?.socket.destroy()
  await until(() => !app.mqtt.isConnected, 'the end of the connection')
  const away = await send(app, EXAMPLE, WAIT)
  t.strictSame([away.statusCode, away.headers['proxy-status'], away.headers['retry-after']], [406, 'messenger; error=destination_unavailable', '2'])
})

t.test('answers 406 at its time, and never sends, what found no slot while it was waited for', async t => {
  const { broker, advance, app, published } = await startScriptedApp(t, { properties: { receiveMaximum: 1 } }, { MQTT_QUEUE_TIMEOUT_MS: '4000' })
  const first = send(app)
  await published(1)
  const second = send(app, { ...EXAMPLE, ttl: 30 }, { prefer: 'wait=2' })
  await until(() => broker.connections[0]?.subscribed.length === 1, 'the subscription')
  await send(app, {})
  advance(2_000)
  const { statusCode, headers } = await second
  t.strictSame([statusCode, headers['proxy-status']], [406, 'messenger; error=connection_write_timeout'])
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await first).statusCode, 200)
  t.equal(broker.published.length, 1)
})

t.test('answers 503 overloaded, before anything is published, where too many wait', async t => {
  const { broker, advance, app, published } = await startScriptedApp(t, acknowledging, { MAX_WAITERS: '2' })
  const waiting = [send(app, EXAMPLE, WAIT), send(app, EXAMPLE, WAIT)]
  await published(2)
  const { statusCode, headers, body } = await send(app, EXAMPLE, { ...WAIT, 'idempotency-key': 'k' })
  t.equal(statusCode, 503)
  t.strictSame(JSON.parse(body), {
    title: 'Overloaded', status: 503, code: 'overloaded', detail: 'Too many callers wait for the reply of a device; nothing was published'
  })
  t.equal(headers['retry-after'], '1')
  t.equal(headers['preference-applied'], undefined)
  t.equal(broker.published.length, 2)
  t.equal((await send(app)).statusCode, 200, 'who does not wait is served')
  advance(10_000)
  for (const response of waiting) t.equal((await response).statusCode, 504)
  const again = send(app, EXAMPLE, { ...WAIT, 'idempotency-key': 'k' })
  await published(4)
  advance(10_000)
  t.equal((await again).statusCode, 504, 'the key was free')
})

t.test('frees the place of a caller that goes away', async t => {
  const { broker, app, log, published } = await startScriptedApp(t, {}, { MAX_WAITERS: '1' })
  const port = await listen(t, app)
  for (const [n, whenAcknowledged] of ['before', 'after'].entries()) {
    const caller = await openRaw(t, port)
    caller.write(await writeOut(WAIT))
    await published(n + 1)
    const acknowledge = () => { broker.connections[0]?.puback(broker.published[n]?.messageId) }
    if (whenAcknowledged === 'before') acknowledge()
    await until(() => app.mqtt.inFlight === (whenAcknowledged === 'before' ? 0 : 1), 'the PUBACK')
    caller.socket.destroy()
    await until(() => app.mqtt.waiters === 0, 'the free place')
    if (whenAcknowledged === 'after') acknowledge()
    await until(() => log.answered().length === n + 1, 'the audit line')
    t.match(log.answered()[n], { status: 504, outcome: 'accepted', reason: 'reply_timeout' })
  }
})

t.test('frees the places of a caller that goes away with several requests on one connection, and logs each', async t => {
  const { app, log, published } = await startScriptedApp(t, acknowledging)
  const caller = await openRaw(t, await listen(t, app))
  const request = await writeOut(WAIT)
  caller.write(request.repeat(3))
  await published(3)
  t.equal(app.mqtt.waiters, 3)
  caller.socket.destroy()
  await until(() => app.mqtt.waiters === 0, 'the free places')
  await until(() => log.answered().length === 3, 'the audit lines')
  for (const line of log.answered()) t.match(line, { status: 504, outcome: 'accepted', reason: 'reply_timeout' })
})

t.test('tells a device of MQTT 3.1.1 in the payload where to answer, and takes id and result from there', async t => {
  const { broker, app, published } = await startScriptedApp(t, acknowledging, { MQTT_PROTOCOL: '3.1.1', MQTT_PAYLOAD: 'json' })
  const response = send(app, EXAMPLE, WAIT)
  await published(1)
  const command = JSON.parse(String(broker.published[0]?.payload))
  t.match(command.reply_to, new RegExp(`^messenger/[0-9a-f]{12}/replies/${IMEI}$`))
  t.equal(command.expires_at - command.issued_at, 10, 'without a ttl, the wait is the ttl')
  const payload = JSON.stringify({ id: command.id, result: { gate: 'down' } })
  broker.connections[0]?.send({ cmd: 'publish', topic: command.reply_to, payload, qos: 0, dup: false, retain: false })
  const { statusCode, body } = await response
  t.equal(statusCode, 200)
  t.strictSame(JSON.parse(body).reply, { gate: 'down' })
  t.match(JSON.parse(body).detail, /"reply_to":"messenger\//)
  t.equal((await send(app)).json().detail.includes('reply_to'), false, 'who does not wait asks for no answer')
})

t.test('leaves expiry to the ttl where there is one', async t => {
  const { broker, advance, app, published } = await startScriptedApp(t, acknowledging)
  const response = send(app, { ...EXAMPLE, ttl: 30 }, { prefer: 'wait=90' })
  await published(1)
  t.equal(broker.published[0]?.properties?.messageExpiryInterval, 30)
  advance(60_000)
  t.strictSame([(await response).statusCode, (await response).headers['preference-applied']], [504, 'wait=60'])
})

t.test('ends what still waits when it is told to, as at its deadline', async t => {
  const { app, published } = await startScriptedApp(t, acknowledging)
  const response = send(app, EXAMPLE, WAIT)
  await published(1)
  await until(() => app.mqtt.inFlight === 0, 'the PUBACK')
  app.mqtt.endWaits()
  t.strictSame((await response).json(), REPLY_TIMEOUT)
})
