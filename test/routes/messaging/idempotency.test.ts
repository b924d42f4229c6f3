import t from 'tap'
import { IMEI, send, startApp, startConnectedApp, token, TOPIC } from '../../helpers/app.js'
import { startBroker } from '../../helpers/broker.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { listen, openRaw, writeOut } from '../../helpers/raw-http.js'
import { acknowledging, startScriptedBroker } from '../../helpers/scripted-broker.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'

const COMMAND = { imei: IMEI, micro_op: 'push_down' }
const SENT_BODY = `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`"}`
const withKey = (key: string) => ({ 'idempotency-key': key })

t.test('publishes once for all requests with one key, quoted or bare, and gives each the same answer', async t => {
  const { url } = await startBroker(t)
  const app = await startConnectedApp(t, url)
  const device = await subscribe(t, url, TOPIC)
  const answers = []
  for (const key of ['k1', '"k1"', 'k1']) answers.push(await send(app, COMMAND, { ...withKey(key), 'x-request-id': `r${answers.length}` }))
  for (const [n, answer] of answers.entries()) {
    t.equal(answer.statusCode, 200)
    t.equal(answer.body, SENT_BODY)
    t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    t.equal(answer.headers['x-request-id'], `r${n}`, 'names this exchange, not the first')
    t.equal(answer.headers['idempotency-replayed'], n === 0 ? undefined : 'true')
  }
  t.equal((await send(app, COMMAND, withKey('k2'))).headers['idempotency-replayed'], undefined)
  await device.count(2)
  t.strictSame(device.payloads, ['push_down', 'push_down'], 'one for k1, one for k2')
})

t.test('does not take the key of one caller for that of another', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await startConnectedApp(t, broker.url)
  for (const claims of [{ sub: 'a' }, { sub: 'b' }, { sub: 'a', iss: 'x' }]) {
    const answer = await send(app, COMMAND, { ...withKey('k'), authorization: `Bearer ${await token(claims)}` })
    t.strictSame([answer.statusCode, answer.headers['idempotency-replayed']], [200, undefined])
  }
  t.equal(broker.published.length, 3)
})

t.test('answers 422 to a key that was used for another command, and publishes nothing', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await startConnectedApp(t, broker.url)
  await send(app, COMMAND, withKey('k'))
  for (const other of [{ ...COMMAND, micro_op: 'push_up' }, { ...COMMAND, imei: '1' }, { ...COMMAND, ttl: 30 }]) {
    const answer = await send(app, other, withKey('k'))
    t.equal(answer.statusCode, 422)
    t.equal(answer.json().code, 'idempotency_key_reused')
    t.equal(answer.headers['idempotency-replayed'], undefined)
  }
  const reordered = await send(app, '{"micro_op":"push_down","imei":"26372637216372637126376237"}', withKey('k'))
  t.strictSame([reordered.statusCode, reordered.headers['idempotency-replayed']], [200, 'true'], 'the order of members is nothing')
  t.equal(broker.published.length, 1)
})

t.test('answers 422 to a key that was used for the same device of another tenant, and publishes nothing', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await startConnectedApp(t, broker.url, { MQTT_TOPIC: 'tenants/{claims.tenant}/devices/{imei}/commands' })
  const to = async (tenant: string) => await send(app, COMMAND, { ...withKey('k'), authorization: `Bearer ${await token({ tenant })}` })
  t.equal((await to('a')).statusCode, 200)
  const other = await to('b')
  t.strictSame([other.statusCode, other.json().code], [422, 'idempotency_key_reused'])
  t.equal((await to('a')).headers['idempotency-replayed'], 'true')
  t.strictSame(broker.published.map(({ topic }) => topic), ['tenants/a/devices/26372637216372637126376237/commands'])
})

t.test('answers 409 while the first request with the key runs, and its answer afterwards', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const first = send(app, COMMAND, withKey('k'))
  await until(() => broker.published.length === 1, 'the publish')
  const second = await send(app, COMMAND, withKey('k'))
  t.equal(second.statusCode, 409)
  t.equal(second.json().code, 'idempotency_key_in_use')
  t.equal(second.headers['retry-after'], '1')
  t.equal((await send(app, { ...COMMAND, micro_op: 'push_up' }, withKey('k'))).statusCode, 422, 'another command is told so at once')
  broker.connections[0]?.puback(broker.published[0]?.messageId, 0x10)
  t.equal((await first).statusCode, 200)
  const third = await send(app, COMMAND, withKey('k'))
  t.strictSame([third.statusCode, third.body, third.headers['idempotency-replayed']], [200, SENT_BODY, 'true'])
  t.equal(third.headers['proxy-status'], 'messenger; details="no matching subscribers"', 'as it was answered first')
  t.equal(broker.published.length, 1)
})

t.test('records no 406, so that a retry may succeed', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId, 0x97) }
  t.equal((await send(app, COMMAND, withKey('k'))).statusCode, 406)
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  const retried = await send(app, COMMAND, withKey('k'))
  t.strictSame([retried.statusCode, retried.headers['idempotency-replayed']], [200, undefined])
  t.equal((await send(app, COMMAND, withKey('k'))).headers['idempotency-replayed'], 'true')
  t.equal(broker.published.length, 2)
})

t.test('repeats a 504 and publishes nothing, until a late PUBACK makes it what it was', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url, {}, { clock })
  const late = { accepted: 0, refused: 0x87 }
  for (const [index, key] of Object.keys(late).entries()) {
    const sent = send(app, COMMAND, withKey(key))
    await until(() => broker.published.length === index + 1, 'the publish')
    advance(5_000)
    const first = await sent
    const repeat = await send(app, COMMAND, withKey(key))
    for (const answer of [first, repeat]) {
      t.equal(answer.statusCode, 504)
      t.equal(answer.json().code, 'delivery_unknown')
      t.equal(answer.headers['proxy-status'], 'messenger; error=connection_read_timeout')
      t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    }
    t.equal(repeat.headers['idempotency-replayed'], 'true')
    t.equal(repeat.body, first.body)
    broker.connections.at(-1)?.puback(broker.published.at(-1)?.messageId, late[key as keyof typeof late])
    await until(() => app.mqtt.inFlight === 0, 'the late PUBACK')
  }
  t.equal(broker.published.length, 2)
  const accepted = await send(app, COMMAND, withKey('accepted'))
  t.strictSame([accepted.statusCode, accepted.body, accepted.headers['idempotency-replayed']], [200, SENT_BODY, 'true'])
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  const refused = await send(app, COMMAND, withKey('refused'))
  t.strictSame([refused.statusCode, refused.headers['idempotency-replayed']], [200, undefined], 'it never reached a device: the retry is sent')
  t.equal(broker.published.length, 3)
})

t.test('answers 504, and publishes nothing for a repeat, where something breaks after the write', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url)
  const { send: publish, sendAndWait } = app.mqtt
  const breaks = { send: publish, sendAndWait }
  breaks.send = async command => {
    await publish(command)
    throw new Error('broken')
  }
  breaks.sendAndWait = (command, waitS) => {
    const { sent, leave } = sendAndWait(command, waitS)
    return { sent: sent.then(() => { throw new Error('broken') }), leave }
  }
  Object.assign(app.mqtt, breaks)
  for (const headers of [withKey('plain'), { ...withKey('wait'), prefer: 'wait=1' }]) {
    const first = await send(app, COMMAND, headers)
    t.strictSame([first.statusCode, first.json().code], [504, 'delivery_unknown'])
    const repeat = await send(app, COMMAND, headers)
    t.strictSame([repeat.statusCode, repeat.headers['idempotency-replayed']], [504, 'true'])
  }
  t.equal(broker.published.length, 2)
})

t.test('changes nothing for a request without a key whose PUBACK comes late', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url, {}, { clock })
  const sent = send(app)
  await until(() => broker.published.length === 1, 'the publish')
  advance(5_000)
  t.equal((await sent).statusCode, 504)
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await until(() => app.mqtt.inFlight === 0, 'the late PUBACK')
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  t.equal((await send(app)).statusCode, 200)
})

t.test('records the outcome also where the caller has gone', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const caller = await openRaw(t, await listen(t, app))
  caller.write(await writeOut(withKey('k')))
  await until(() => broker.published.length === 1, 'the publish')
  caller.socket.destroy()
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  let repeat = await send(app, COMMAND, withKey('k'))
  while (repeat.statusCode === 409) repeat = await send(app, COMMAND, withKey('k'))
  t.strictSame([repeat.statusCode, repeat.body, repeat.headers['idempotency-replayed']], [200, SENT_BODY, 'true'])
  t.equal(broker.published.length, 1)
})

t.test('answers 503 to a new key where it can remember no more, and publishes nothing; others are served', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await startConnectedApp(t, broker.url, { IDEMPOTENCY_MAX_RECORDS: '1', IDEMPOTENCY_TTL_S: '60' })
  t.equal((await send(app, COMMAND, withKey('k1'))).statusCode, 200)
  const refused = await send(app, COMMAND, withKey('k2'))
  t.equal(refused.statusCode, 503)
  t.equal(refused.json().code, 'idempotency_store_full')
  t.ok(Number(refused.headers['retry-after']) >= 59 && Number(refused.headers['retry-after']) <= 60)
  t.equal((await send(app, COMMAND, withKey('k1'))).headers['idempotency-replayed'], 'true')
  t.equal((await send(app)).statusCode, 200)
  t.equal(broker.published.length, 2)
})

t.test('asks to come back in a second where all it remembers still runs', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url, { IDEMPOTENCY_MAX_RECORDS: '1' })
  const first = send(app, COMMAND, withKey('k1'))
  await until(() => broker.published.length === 1, 'the publish')
  const refused = await send(app, COMMAND, withKey('k2'))
  t.strictSame([refused.statusCode, refused.headers['retry-after']], [503, '1'])
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await first).statusCode, 200)
})

t.test('answers 400 to a malformed key, after the body and before the scope, and publishes nothing', async t => {
  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SCOPE: 'messaging:send' })
  const answer = await send(app, COMMAND, withKey('a, b'))
  t.equal(answer.statusCode, 400)
  t.equal(answer.json().code, 'invalid_idempotency_key')
  t.equal((await send(app, {}, withKey('a, b'))).json().code, 'invalid_body')
  t.equal((await send(app, COMMAND, withKey('a'))).json().code, 'insufficient_scope')
})

t.test('repeats an answer only to who may have it', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await startConnectedApp(t, broker.url, { JWT_SCOPE: 'messaging:send' })
  const allowed = { ...withKey('k'), authorization: `Bearer ${await token({ scope: 'messaging:send' })}` }
  t.equal((await send(app, COMMAND, allowed)).statusCode, 200)
  t.equal((await send(app, COMMAND, { ...allowed, authorization: `Bearer ${await token()}` })).statusCode, 403)
  t.equal((await send(app, COMMAND, { ...allowed, authorization: '' })).statusCode, 401)
  t.equal((await send(app, COMMAND, allowed)).headers['idempotency-replayed'], 'true')
})
