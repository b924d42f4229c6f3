import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { EXAMPLE, IMEI, SECRET, send, startApp, startConnectedApp, token, TOPIC, type App } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { createLog } from '../helpers/log.js'
import { listen, openRaw, writeOut } from '../helpers/raw-http.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const SENT = { method: 'POST', path: '/messaging/send', hasDuration: true }
const as = async (claims: Readonly<Record<string, unknown>>) => ({ authorization: `Bearer ${await token(claims)}` })
const named = (id: string) => ({ 'x-request-id': id })

t.test('writes who sent which command, and what became of it', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, { MQTT_TOPIC: '{claims.tenant}/{imei}', MQTT_PUBLISH_TIMEOUT_MS: '100' }, log)
  const caller = { sub: 'gate-7', tenant: 'a', client_id: 'gates', azp: 'other' }
  await send(app, EXAMPLE, { ...named('1'), ...await as(caller) })
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId, 0x87) }
  await send(app, EXAMPLE, { ...named('2'), ...await as({ ...caller, client_id: 7 }) })
  broker.script.onPublish = () => {}
  await send(app, EXAMPLE, { ...named('3'), ...await as({ ...caller, client_id: undefined, azp: undefined }) })

  const ids = broker.published.map(packet => ({ ...packet.properties?.userProperties }).id)
  const command = { ...SENT, sub: 'gate-7', imei: IMEI, micro_op: 'push_down', topic: `a/${IMEI}` }
  t.strictSame(log.answered(), [
    { ...command, reqId: '1', status: 200, client_id: 'gates', commandId: ids[0], outcome: 'accepted' },
    { ...command, reqId: '2', status: 406, client_id: 'other', commandId: ids[1], outcome: 'not_sent', reason: 'refused' },
    { ...command, reqId: '3', status: 504, commandId: ids[2], outcome: 'unknown', reason: 'timed_out' }
  ])
})

t.test('writes who wanted what where it is refused, as far as that is known', async t => {
  const log = createLog()
  const app = await startApp(t, { ...NOWHERE, JWT_SCOPE: 'send', AUTHORIZATION_DETAILS: 'required' }, log)
  await send(app, EXAMPLE, { ...named('scope'), ...await as({ client_id: 'gates' }) })
  await send(app, EXAMPLE, { ...named('details'), ...await as({ scope: 'send' }) })
  await send(app, { imei: 'x\n', micro_op: 'y' }, { ...named('body'), ...await as({ scope: 'send' }) })
  await send(app, EXAMPLE, { ...named('token'), authorization: 'Bearer nonsense' })
  const refused = { ...SENT, outcome: 'refused' }
  const command = { sub: 'tester', imei: IMEI, micro_op: 'push_down' }
  t.strictSame(log.answered(), [
    { ...refused, ...command, reqId: 'scope', status: 403, client_id: 'gates', reason: 'insufficient_scope' },
    { ...refused, ...command, reqId: 'details', status: 403, reason: 'insufficient_authorization' },
    { ...refused, reqId: 'body', status: 400, sub: 'tester', reason: 'invalid_body' },
    { ...refused, reqId: 'token', status: 401, reason: 'invalid_token' }
  ])
})

t.test('says of a repeat of an Idempotency-Key that it is one, and why it is refused', async t => {
  const broker = await startScriptedBroker(t)
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, {}, log)
  const key = { 'idempotency-key': 'k' }
  const first = send(app, EXAMPLE, { ...key, ...named('first') })
  await until(() => broker.published.length === 1, 'the publish')
  await send(app, EXAMPLE, { ...key, ...named('running') })
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await first
  await send(app, EXAMPLE, { ...key, ...named('repeat') })
  await send(app, { ...EXAMPLE, micro_op: 'push_up' }, { ...key, ...named('reused') })

  const command = { ...SENT, sub: 'tester', imei: IMEI, micro_op: 'push_down', topic: TOPIC }
  const { id } = { ...broker.published[0]?.properties?.userProperties }
  t.strictSame(log.answered(), [
    { ...command, reqId: 'running', status: 409, outcome: 'refused', reason: 'idempotency_key_in_use' },
    { ...command, reqId: 'first', status: 200, commandId: id, outcome: 'accepted' },
    { ...command, reqId: 'repeat', status: 200, outcome: 'replayed' },
    { ...command, reqId: 'reused', status: 422, micro_op: 'push_up', outcome: 'refused', reason: 'idempotency_key_reused' }
  ])
})

t.test('says of a request without a command only what it was answered', async t => {
  const log = createLog()
  const app = await startApp(t, NOWHERE, log)
  const { authorization } = await as({})
  await app.inject({ url: '/health/live?token=secret', headers: named('live') })
  await app.inject({ url: '/health/ready', headers: named('ready') })
  await app.inject({ url: `/nowhere/${authorization.slice(7)}/x?token=secret`, headers: { authorization, ...named('lost') } })
  await app.inject({ url: `/${authorization.slice(7).replaceAll('.', '%2E')}`, headers: named('encoded') })
  await app.inject({ url: `/docs/static/${authorization.slice(7)}`, headers: named('file') })
  await app.inject({ url: '/messaging/send', headers: { authorization, ...named('method') } })
  const raw = await openRaw(t, await listen(t, app))
  raw.write('GET http://user:secret@a/health/live?x=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: absolute\r\n\r\n')
  await raw.received('live"}')
  const line = { method: 'GET', hasDuration: true }
  t.strictSame(log.answered(), [
    { ...line, reqId: 'live', path: '/health/live', status: 200 },
    { ...line, reqId: 'ready', path: '/health/ready', status: 503, reason: 'broker_unavailable' },
    { ...line, reqId: 'lost', path: '/nowhere/<token>/x', status: 404, reason: 'not_found' },
    { ...line, reqId: 'encoded', path: '/<token>', status: 404, reason: 'not_found' },
    { ...line, reqId: 'file', path: '/docs/static/<token>', status: 404, reason: 'not_found' },
    { ...line, reqId: 'method', path: '/messaging/send', status: 405, reason: 'method_not_allowed' },
    { ...line, reqId: 'absolute', path: '/health/live', status: 200 }
  ])
})

t.test('writes the line of a command also where its caller has gone, once', async t => {
  const broker = await startScriptedBroker(t)
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, {}, log)
  const port = await listen(t, app)
  const post = async (id: string) => {
    const caller = await openRaw(t, port)
    caller.write(await writeOut(named(id)))
    return caller
  }
  const closed = new Promise(resolve => { app.server.once('connection', socket => { socket.once('close', resolve) }) })
  const gone = await post('gone')
  await until(() => broker.published.length === 1, 'the publish')
  gone.socket.destroy()
  await closed
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  const stayed = await post('stayed')
  await stayed.received('200 OK')
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await until(() => log.answered().length === 2, 'both lines')
  stayed.socket.destroy()
  await app.close()
  const command = { ...SENT, sub: 'tester', imei: IMEI, micro_op: 'push_down', topic: TOPIC, status: 200, outcome: 'accepted' }
  const ids = broker.published.map(packet => ({ ...packet.properties?.userProperties }).id)
  t.strictSame(log.answered(), [{ ...command, reqId: 'stayed', commandId: ids[1] }, { ...command, reqId: 'gone', commandId: ids[0] }])
})

t.test('writes no token, secret or Authorization header in any line at any level', async t => {
  const broker = await startBroker(t)
  const log = createLog()
  const secrets = { MQTT_USERNAME: 'messenger', MQTT_PASSWORD: 'mqtt-secret', REDIS_URL: 'redis://someone:redis-secret@127.0.0.1:1' }
  const app = await startConnectedApp(t, broker.url.replace('mqtt://', 'mqtt://user:url-secret@'), { MQTT_PASSWORD: '', CORS_ORIGIN: '*' }, log)
  const away = await startApp(t, { MQTT_URL: 'mqtt://user:url-secret@127.0.0.1:1', ...secrets }, log)
  const broken = await buildApp(loadConfig({ JWT_SECRET: SECRET, MQTT_URL: broker.url }), log)
  t.teardown(() => broken.close())
  let failures = 1
  broken.addHook('onSend', async () => { if (failures-- > 0) throw new Error('broken') })
  await broken.ready()
  await broken.mqtt.whenConnected()

  const { authorization } = await as({})
  const bearer = authorization.slice('Bearer '.length)
  const forged = `${bearer.slice(0, bearer.lastIndexOf('.'))}.${'A'.repeat(43)}`
  const key = { 'idempotency-key': 'k' }
  const post = async (server: App, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    (await send(server, body, { authorization, ...headers })).statusCode
  const inject = async (method: 'GET' | 'POST' | 'PUT' | 'OPTIONS', url: string, headers: Readonly<Record<string, string>> = {}) =>
    (await app.inject({ method, url, headers: { authorization, ...headers } })).statusCode
  const statuses = [
    await post(app, EXAMPLE), await post(app, EXAMPLE, key), await post(app, EXAMPLE, key),
    await post(app, { ...EXAMPLE, ttl: 1 }, key), await post(app, EXAMPLE, await as({ authorization_details: [] })),
    await post(app, { imei: bearer, [bearer]: bearer }), await post(app, `{"a": ${bearer}`), await post(app, EXAMPLE, { 'idempotency-key': 'a b' }),
    await post(app, EXAMPLE, { authorization: `Bearer ${bearer} ${bearer}` }), await post(app, EXAMPLE, { authorization: `Bearer ${forged}` }),
    await post(app, EXAMPLE, { authorization: `Basic ${bearer}` }), await post(app, bearer, { 'content-type': 'text/plain' }),
    await post(app, bearer.repeat(200)), await post(app, EXAMPLE, { traceparent: bearer, cookie: `session=${bearer}` }),
    await inject('POST', `/messaging/send?access_token=${bearer}`, { authorization: '' }), await inject('GET', `/${bearer}?access_token=${bearer}`),
    await inject('PUT', `/messaging/send?access_token=${bearer}`), await inject('GET', `/%zz/${bearer}?access_token=${bearer}`),
    await inject('OPTIONS', '/messaging/send', { origin: 'https://a.example', 'access-control-request-method': 'POST' }),
    await inject('OPTIONS', `/messaging/send/${bearer}`, { origin: 'https://a.example', 'access-control-request-method': 'POST' }),
    await inject('GET', `/docs/static/${bearer}`), await inject('GET', '/health/ready'), await inject('GET', '/openapi.json'),
    await post(away, EXAMPLE), await post(away, EXAMPLE, key), await post(broken, EXAMPLE)
  ]
  failures = 1
  statuses.push(await post(broken, 'no json'))
  app.drain.refuse()
  statuses.push(await post(app, EXAMPLE))
  t.strictSame(statuses, [
    200, 200, 200, 422, 403, 400, 400, 400, 400, 401, 401, 415, 413, 200, 401, 404, 405, 400, 204, 204, 404, 200, 200, 406, 503, 504, 500, 503
  ])

  const port = await listen(t, away)
  for (const part of [`GET / HTTP/9\r\nAuthorization: ${authorization}`, `POST / HTTP/1.1\r\nAuthorization: ${authorization}\r\nX: ${'x'.repeat(20_000)}`,
    `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nno header\r\n`]) {
    const raw = await openRaw(t, port)
    raw.write(`${part}\r\n\r\n`)
    await raw.ended()
  }

  t.ok(log.answered().length >= statuses.length - 1)
  const text = log.lines.join('')
  t.ok(text.includes('a connection was closed for an error of the client') && text.includes('cannot claim an Idempotency-Key'), 'every level is read')
  for (const secret of [...bearer.split('.'), 'eyJ', SECRET, 'mqtt-secret', 'url-secret', 'redis-secret']) t.notOk(text.includes(secret), secret)
  t.notMatch(text, /"authorization"|bearer|cookie/i)
  t.notMatch(text, /"type":"Buffer"/, 'nor as bytes')
})

t.test('writes a line of a target that cannot be read', async t => {
  const log = createLog()
  const app = await startApp(t, NOWHERE, log)
  await app.inject({ method: 'GET', url: '/%zz?access_token=secret', headers: { 'x-request-id': 'bad' } })
  t.match(log.answered(), [{ reqId: 'bad', method: 'GET', path: '/%zz', status: 400 }])
})

t.test('tells a caller without a valid token that has gone from a fault of ours', async t => {
  const log = createLog()
  const app = await startApp(t, NOWHERE, log)
  const port = await listen(t, app)
  for (let n = 0; n < 20; n += 1) {
    const raw = await openRaw(t, port)
    raw.write(await writeOut({ Authorization: 'Bearer nonsense' }))
    raw.socket.resetAndDestroy()
  }
  await app.inject({ method: 'GET', url: '/health/live' })
  await until(() => log.answered().length > 0, 'a line')
  t.strictSame(log.lines.filter(line => line.includes('a request failed')), [])
})
