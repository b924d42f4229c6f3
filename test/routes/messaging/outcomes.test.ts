import t from 'tap'
import { buildApp } from '../../../src/app.js'
import { loadConfig } from '../../../src/config/config.js'
import { EXAMPLE, IMEI, SECRET, send, startConnectedApp, type App } from '../../helpers/app.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const NOT_SENT_BODY = '{"detail":"Somthing went wrong"}'
const UNKNOWN_BODY = {
  title: 'Delivery unknown',
  status: 504,
  code: 'delivery_unknown',
  detail: 'The command was sent to the broker, which did not acknowledge it in time. It may or may not reach the device until its ttl is over'
}

const burst = (app: App, count: number) => Promise.all(Array.from({ length: count }, (_, n) => send(app, { imei: IMEI, micro_op: `op_${n}` })))

t.test('answers 504 to what fills the window and 406 to the rest, and serves again after the rebuild', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 20 } })
  const app = await startConnectedApp(t, broker.url, { MQTT_PUBLISH_TIMEOUT_MS: '400', MQTT_QUEUE_TIMEOUT_MS: '150' })

  const startedMs = performance.now()
  const responses = await burst(app, 40)
  const tookMs = performance.now() - startedMs
  t.ok(tookMs >= 400, `the last came at the publish time-out: ${tookMs} ms`)
  const unknown = responses.filter(({ statusCode }) => statusCode === 504)
  const notSent = responses.filter(({ statusCode }) => statusCode === 406)
  t.equal(unknown.length, 20)
  t.equal(notSent.length, 20)
  for (const response of unknown) {
    t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.equal(response.headers['proxy-status'], 'messenger; error=connection_read_timeout')
    t.equal(response.headers['retry-after'], undefined)
    t.strictSame(response.json(), UNKNOWN_BODY)
  }
  for (const response of notSent) {
    t.equal(response.body, NOT_SENT_BODY)
    t.equal(response.headers['proxy-status'], 'messenger; error=connection_limit_reached')
    t.equal(response.headers['retry-after'], '1')
  }
  t.strictSame(broker.published.map(packet => packet.payload.toString()), Array.from({ length: 20 }, (_, n) => `op_${n}`))

  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  await until(() => broker.connections.length === 2, 'the rebuilt connection')
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 200)
  t.strictSame(broker.connections[1]?.published.map(packet => packet.payload.toString()), ['push_down'], 'nothing is sent again')
})

t.test('answers 504 to what was in flight and 406 to what waited when the connection is lost, and sends neither again', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 2 } })
  const app = await startConnectedApp(t, broker.url)
  broker.script.onPublish = (_packet, { published, socket }) => { if (published.length === 2) socket.destroy() }
  const responses = await burst(app, 4)
  t.strictSame(responses.map(({ statusCode, headers }) => [statusCode, headers['proxy-status']]), [
    [504, 'messenger; error=connection_terminated'],
    [504, 'messenger; error=connection_terminated'],
    [406, 'messenger; error=destination_unavailable'],
    [406, 'messenger; error=destination_unavailable']
  ])
  t.strictSame(responses[0]?.json(), UNKNOWN_BODY)

  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 200)
  t.strictSame(broker.connections[1]?.published.map(packet => packet.payload.toString()), ['push_down'])
})

t.test('answers 406 to every refusal of the broker, with its name', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const cases: Array<[number, string, string | undefined]> = [
    [0x80, 'error=proxy_internal_error; details="unspecified error"', undefined],
    [0x87, 'error=proxy_configuration_error; details="not authorized"', undefined],
    [0x90, 'error=proxy_internal_error; details="topic name invalid"', undefined],
    [0x97, 'error=proxy_internal_error; details="quota exceeded"', '1'],
    [0x99, 'error=proxy_internal_error; details="payload format invalid"', undefined]
  ]
  for (const [reasonCode, parameters, retryAfter] of cases) {
    broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId, reasonCode) }
    const response = await send(app)
    t.equal(response.statusCode, 406)
    t.equal(response.body, NOT_SENT_BODY)
    t.equal(response.headers['proxy-status'], `messenger; ${parameters}`)
    t.equal(response.headers['retry-after'], retryAfter)
  }
})

t.test('answers 406 and keeps the connection where the command is larger than the broker accepts', async t => {
  const broker = await startScriptedBroker(t, {
    properties: { maximumPacketSize: 200 },
    onPublish ({ messageId }, connection) { connection.puback(messageId) }
  })
  const app = await startConnectedApp(t, broker.url)
  const response = await send(app, { ...EXAMPLE, micro_op: 'x'.repeat(64) })
  t.equal(response.statusCode, 406)
  t.equal(response.headers['proxy-status'], 'messenger; error=proxy_configuration_error; details="packet too large"')
  t.equal((await send(app, { imei: '1', micro_op: 'y' })).statusCode, 200)
  t.equal(broker.connections.length, 1)
  t.equal(broker.published.length, 1)
})

t.test('answers 406 where the ttl is used up before there was a slot', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 1 } })
  const app = await startConnectedApp(t, broker.url, { MQTT_QUEUE_TIMEOUT_MS: '4000' })
  const first = send(app)
  await until(() => broker.published.length === 1, 'the first publish')
  const second = send(app, { ...EXAMPLE, ttl: 1 })
  setTimeout(() => { broker.connections[0]?.puback(broker.published[0]?.messageId) }, 1100)
  t.equal((await first).statusCode, 200)
  const response = await second
  t.equal(response.statusCode, 406)
  t.equal(response.body, NOT_SENT_BODY)
  t.equal(response.headers['proxy-status'], 'messenger; error=connection_write_timeout')
  t.equal(response.headers['retry-after'], undefined)
  t.equal(broker.published.length, 1)
})

t.test('logs a PUBACK that comes after the 504', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t)
  const lines: string[] = []
  const app = await startConnectedApp(t, broker.url, {}, {
    clock,
    logger: { level: 'warn', stream: { write (line: string) { lines.push(line) } } }
  })
  const sent = send(app)
  await until(() => broker.published.length === 1, 'the publish')
  advance(5_000)
  t.equal((await sent).statusCode, 504)
  broker.connections[0]?.puback(broker.published[0]?.messageId, 0x10)
  await until(() => lines.length > 0, 'the log line')
  const { msg, topic, outcome } = JSON.parse(lines[0] ?? '')
  t.strictSame([msg, topic, outcome], [
    'a PUBACK came after the caller was answered 504', `devices/${IMEI}/commands`, { kind: 'accepted', noSubscribers: true }
  ])
})

t.test('answers 504, not 500, where something breaks after the publish', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await buildApp(loadConfig({ JWT_SECRET: SECRET, MQTT_URL: broker.url }))
  t.teardown(() => app.close())
  let failures = 1
  app.addHook('onSend', async () => { if (failures-- > 0) throw new Error('a secret of the inside') })
  await app.ready()
  await app.mqtt.whenConnected()
  const response = await send(app)
  t.equal(response.statusCode, 504)
  t.strictSame(response.json(), UNKNOWN_BODY)
  t.equal(response.headers['proxy-status'], 'messenger; error=proxy_internal_error')
  failures = 1
  const before = await send(app, 'no json')
  t.equal(before.statusCode, 500, 'before the publish it is what it is')
  t.strictSame(before.json(), {
    title: 'Internal error', status: 500, code: 'internal_error', detail: 'The messenger failed; nothing was published'
  })
})
