import t from 'tap'
import { EXAMPLE, IMEI, send, startApp, startConnectedApp, TOPIC } from '../../helpers/app.js'
import { startBroker } from '../../helpers/broker.js'
import { startCountingTap } from '../../helpers/counting-tap.js'
import { skipWithoutMosquitto, startMosquitto } from '../../helpers/mosquitto.js'
import { freePort } from '../../helpers/ports.js'
import { subscribe } from '../../helpers/subscriber.js'

const OK_BODY = '{"detail":"Send `push_down` to topic `devices/26372637216372637126376237/commands`"}'
const NOT_SENT_BODY = '{"detail":"Somthing went wrong"}'
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

t.test('answers 200 with the documented body, and the device gets the operation once', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startConnectedApp(t, broker.url)

  const response = await send(app, EXAMPLE, { 'x-request-id': 'request.1', traceparent: TRACEPARENT })
  t.equal(response.statusCode, 200)
  t.equal(response.body, OK_BODY)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.headers['x-request-id'], 'request.1')
  t.equal(response.headers['proxy-status'], undefined)

  await send(app, { imei: IMEI, micro_op: 'last' })
  await device.count(2)
  t.strictSame(device.payloads, ['push_down', 'last'])
  const [packet] = device.received
  t.equal(packet?.qos, 1)
  t.equal(packet?.retain, false)
  t.equal(packet?.properties?.contentType, 'text/plain')
  const { id, ...properties } = { ...packet?.properties?.userProperties }
  t.match(id, UUID_V7)
  t.strictSame(properties, { request_id: 'request.1', traceparent: TRACEPARENT })
})

t.test('gives the broker the ttl, or COMMAND_TTL_S, as Message Expiry Interval', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startConnectedApp(t, broker.url, { COMMAND_TTL_S: '77' })
  await send(app)
  await send(app, { ...EXAMPLE, ttl: 86_400 })
  await device.count(2)
  t.strictSame(device.received.map(packet => packet.properties?.messageExpiryInterval), [77, 86_400])
})

t.test('does not pass on a traceparent that is malformed', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startConnectedApp(t, broker.url)
  const malformed = ['not-a-trace', TRACEPARENT.replace('00-', 'ff-'), TRACEPARENT.replace(/-.{32}-/, `-${'0'.repeat(32)}-`), TRACEPARENT.replace(/-.{16}-/, `-${'0'.repeat(16)}-`)]
  for (const traceparent of malformed) await send(app, EXAMPLE, { traceparent })
  await device.count(malformed.length)
  for (const { properties } of device.received) t.strictSame(Object.keys({ ...properties?.userProperties }), ['id', 'request_id'])
})

t.test('publishes a JSON document where MQTT_PAYLOAD=json, and quotes it in the answer', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, `${IMEI}/in`)
  const app = await startConnectedApp(t, broker.url, { MQTT_PAYLOAD: 'json', MQTT_TOPIC: '{imei}/in' })
  const before = Math.floor(Date.now() / 1000)
  const response = await send(app, { ...EXAMPLE, ttl: 10 })
  await device.count(1)
  const [payload = ''] = device.payloads
  t.equal(response.json().detail, `Send \`${payload}\` to topic \`${IMEI}/in\``)
  const { id, issued_at: issuedAt, ...rest } = JSON.parse(payload)
  t.match(id, UUID_V7)
  t.equal({ ...device.received[0]?.properties?.userProperties }.id, id)
  t.ok(issuedAt >= before && issuedAt <= Date.now() / 1000)
  t.strictSame(rest, { imei: IMEI, micro_op: 'push_down', expires_at: issuedAt + 10 })
  t.equal(device.received[0]?.properties?.contentType, 'application/json')
})

t.test('says on a 200 that nobody is subscribed', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t)
  const app = await startConnectedApp(t, broker.url)
  const response = await send(app)
  t.equal(response.statusCode, 200)
  t.equal(response.body, OK_BODY)
  t.equal(response.headers['proxy-status'], 'messenger; details="no matching subscribers"')
})

t.test('answers 406 at once while the broker is down, 200 after it came, and nothing refused ever arrives', { skip: skipWithoutMosquitto }, async t => {
  const port = await freePort()
  const app = await startApp(t, { MQTT_URL: `mqtt://127.0.0.1:${port}` })
  const timesMs: number[] = []
  for (let i = 0; i < 20; i += 1) {
    const startedMs = performance.now()
    const response = await send(app, { imei: IMEI, micro_op: `refused_${i}` })
    timesMs.push(performance.now() - startedMs)
    t.equal(response.statusCode, 406)
    t.equal(response.body, NOT_SENT_BODY)
    t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
    t.equal(response.headers['proxy-status'], 'messenger; error=destination_unavailable')
    t.equal(response.headers['retry-after'], '2')
  }
  t.ok(Math.min(...timesMs) < 100, 'at once: no attempt to connect is waited for')
  const broker = await startMosquitto(t, { port })
  const device = await subscribe(t, broker.url, '#')
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 200)
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])
})

t.test('answers 406, never 200, where the access control of the broker forbids the topic', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t, {
    config: ['allow_anonymous true', 'acl_file {dir}/acl'],
    files: { acl: 'topic read #\ntopic write devices/allowed/commands\n' }
  })
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url)
  const denied = await send(app)
  t.equal(denied.statusCode, 406)
  t.equal(denied.body, NOT_SENT_BODY)
  t.equal(denied.headers['proxy-status'], 'messenger; error=proxy_configuration_error; details="not authorized"')
  t.equal(denied.headers['retry-after'], undefined)
  t.equal((await send(app, { imei: 'allowed', micro_op: 'push_up' })).statusCode, 200)
  await device.count(1)
  t.strictSame(device.payloads, ['push_up'])
})

t.test('answers 200 to 100 callers at once, with never more in flight than the window', async t => {
  const broker = await startBroker(t)
  const link = await startCountingTap(t, broker.url)
  const device = await subscribe(t, broker.url, 'devices/+/commands')
  const app = await startConnectedApp(t, link.url, { MQTT_MAX_INFLIGHT: '20' })
  const responses = await Promise.all(Array.from({ length: 100 }, (_, n) => send(app, { imei: `d${n}`, micro_op: `op_${n}` })))
  t.strictSame(responses.map(({ statusCode }) => statusCode), Array(100).fill(200))
  await device.count(100)
  t.strictSame([...device.payloads].sort(), Array.from({ length: 100 }, (_, n) => `op_${n}`).sort())
  t.equal(link.most, 20)
})

t.test('accepts only the operations of MICRO_OPS, where it is set', async t => {
  const broker = await startBroker(t)
  const app = await startConnectedApp(t, broker.url, { MICRO_OPS: 'push_down, push_up' })
  t.equal((await send(app)).statusCode, 200)
  const response = await send(app, { imei: IMEI, micro_op: 'explode' })
  t.equal(response.statusCode, 400)
  t.strictSame(response.json().errors, [{ pointer: '/micro_op', detail: 'must be one of push_down, push_up' }])
})

t.test('refuses a ttl where MQTT 3.1.1 could not keep it, and sends without one', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startConnectedApp(t, broker.url, { MQTT_PROTOCOL: '3.1.1' })
  const refused = await send(app, { ...EXAMPLE, ttl: 5 })
  t.equal(refused.statusCode, 400)
  t.strictSame(refused.json().errors, [
    { pointer: '/ttl', detail: 'must be left out: the broker is spoken to in MQTT 3.1.1, which has no expiry' }
  ])
  t.equal((await send(app, { imei: IMEI, micro_op: 'push_up' })).statusCode, 200)
  await device.count(1)
  t.strictSame(device.payloads, ['push_up'])
})
