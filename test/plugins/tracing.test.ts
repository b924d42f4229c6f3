import t from 'tap'
import { answer } from '../helpers/answering-device.js'
import { EXAMPLE, IMEI, SECRET, send, sendBulk, startApp, startConnectedApp, TOPIC } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { createLog } from '../helpers/log.js'
import { startOtlpReceiver, valuesOf } from '../helpers/otlp-receiver.js'
import { runProgram } from '../helpers/program.js'
import { listen, openRaw, writeOut } from '../helpers/raw-http.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { subscribe } from '../helpers/subscriber.js'
import { until } from '../helpers/until.js'

const NOWHERE = 'mqtt://127.0.0.1:1'
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: 'a=1,b=2' }
const DEVICE = { trace: '1af7651916cd43dd8448eb211c80319c', span: 'c7ad6b7169203331' }

/** Kinds of spans and a failed status, as OTLP numbers them. */
const [SERVER, PRODUCER, CONSUMER, ERROR] = [2, 4, 5, 2]

t.test('traces a request, its publish and the reply, with the caller as the parent, and tells the device', async t => {
  const [broker, receiver] = [await startBroker(t), await startOtlpReceiver(t)]
  const log = createLog()
  const device = await subscribe(t, broker.url, 'devices/+/commands')
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`, OTEL_SERVICE_NAME: 'gates' }, log)
  const response = send(app, EXAMPLE, { ...CALLER, prefer: 'wait=10', 'x-request-id': 'r1' })
  await device.count(1)
  const command = device.received[0]
  await answer(device.client, command, '"done"', { traceparent: `00-${DEVICE.trace}-${DEVICE.span}-01` })
  t.equal((await response).statusCode, 200)
  await app.close()

  t.equal(receiver.requests[0]?.url, '/v1/traces')
  t.equal(receiver.resources[0]?.['service.name'], 'gates')
  t.equal(receiver.spans.length, 3)
  const [server, publish, receive] = [SERVER, PRODUCER, CONSUMER].map(kind => receiver.spans.find(span => span.kind === kind))
  t.match(server, { name: 'POST /messaging/send', traceId: TRACE, parentSpanId: 'b7ad6b7169203331', traceState: 'a=1,b=2' })
  t.strictSame(valuesOf(server?.attributes ?? []), {
    'http.request.method': 'POST',
    'url.path': '/messaging/send',
    'url.scheme': 'http',
    'messenger.request_id': 'r1',
    'http.route': '/messaging/send',
    'http.response.status_code': 200
  })
  t.match(publish, { name: 'publish devices/{imei}/commands', traceId: TRACE, parentSpanId: server?.spanId })
  const user = { ...command?.properties?.userProperties }
  t.strictSame(valuesOf(publish?.attributes ?? []), {
    'messaging.system': 'mqtt',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': TOPIC,
    'messaging.destination.template': 'devices/{imei}/commands',
    'messaging.message.id': user.id,
    'messenger.outcome': 'accepted'
  })
  t.equal(user.traceparent, `00-${TRACE}-${publish?.spanId}-01`)
  t.equal(user.tracestate, 'a=1,b=2')
  t.match(receive, { name: 'receive messenger/{instance}/replies/{imei}', traceId: TRACE, parentSpanId: publish?.spanId, links: [{ traceId: DEVICE.trace, spanId: DEVICE.span }] })
  t.match(valuesOf(receive?.attributes ?? []), {
    'messaging.destination.name': command?.properties?.responseTopic, 'messaging.message.conversation_id': user.id
  })
  t.match(log.answered(), [{ reqId: 'r1', trace_id: TRACE }])
})

t.test('begins a trace where the caller names none or none that can be read, and has no link where the reply names none', async t => {
  const [broker, receiver] = [await startBroker(t), await startOtlpReceiver(t)]
  const device = await subscribe(t, broker.url, 'devices/+/commands')
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  const response = send(app, EXAMPLE, { prefer: 'wait=10' })
  await device.count(1)
  await answer(device.client, device.received[0], '"done"')
  t.equal((await response).statusCode, 200)
  for (const traceparent of ['nonsense', `ff-${TRACE}-b7ad6b7169203331-01`, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
    await send(app, EXAMPLE, { traceparent, tracestate: 'a'.repeat(600) })
  }
  for (const tracestate of [undefined, 'no member of a list']) {
    await send(app, EXAMPLE, { traceparent: CALLER.traceparent, ...(tracestate !== undefined && { tracestate }) })
  }
  await device.count(6)
  await app.close()
  const users = device.received.map(({ properties }) => ({ ...properties?.userProperties }))
  t.strictSame(users.map(({ tracestate }) => tracestate), Array(6).fill(undefined), 'none that is empty')
  const requests = receiver.named('POST /messaging/send')
  t.equal(new Set(requests.map(span => span.traceId)).size, 5)
  t.equal(requests.filter(span => span.parentSpanId !== undefined && span.parentSpanId !== '').length, 2)
  t.strictSame(receiver.spans.find(span => span.kind === CONSUMER)?.links ?? [], [])
})

t.test('says of a command what became of it, and of a request what was answered', async t => {
  const [broker, receiver] = [await startScriptedBroker(t), await startOtlpReceiver(t)]
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, MQTT_PUBLISH_TIMEOUT_MS: '100' })
  broker.script.onPublish = () => {}
  t.equal((await send(app)).statusCode, 504)
  t.equal((await send(app, {})).statusCode, 400)
  await app.inject(`/${'x'.repeat(50)}`)
  await app.inject('/health/live')
  await app.close()
  const [unknown, refused] = receiver.named('POST /messaging/send')
  t.match(unknown?.status, { code: ERROR })
  t.match(valuesOf(unknown?.attributes ?? []), { 'http.response.status_code': 504, 'error.type': '504' })
  t.match(refused?.status, { code: 0 })
  const publishes = receiver.named('publish devices/{imei}/commands')
  t.equal(publishes.length, 1)
  t.match(publishes[0]?.status, { code: ERROR, message: 'unknown' })
  t.match(valuesOf(publishes[0]?.attributes ?? []), { 'messenger.outcome': 'unknown', 'error.type': 'timed_out' })
  t.match(valuesOf(receiver.named('GET')[0]?.attributes ?? []), { 'url.path': '/<token>', 'http.response.status_code': 404 })
  t.equal(receiver.spans.length, 4, 'none of a probe')
})

t.test('traces each command of a bulk request under its one span, with the trace in every line of the log', async t => {
  const [broker, receiver] = [await startBroker(t), await startOtlpReceiver(t)]
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, log)
  t.equal((await sendBulk(app, [EXAMPLE, { ...EXAMPLE, micro_op: 'up' }, { imei: IMEI }], CALLER)).statusCode, 200)
  await app.close()
  const [server] = receiver.named('POST /messaging/send/bulk')
  t.strictSame(receiver.named('publish devices/{imei}/commands').map(span => span.parentSpanId), [server?.spanId, server?.spanId])
  const lines = log.lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'command' || msg === 'answered')
  t.strictSame(lines.map(line => line.trace_id), [TRACE, TRACE, TRACE, TRACE])
})

t.test('ends the span of a request whose caller has gone, and names a method that is none of the usual', async t => {
  const [broker, receiver] = [await startScriptedBroker(t), await startOtlpReceiver(t)]
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  broker.script.onPublish = () => {}
  const port = await listen(t, app)
  const other = await openRaw(t, port)
  other.write('PROPFIND /messaging/send HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await other.ended()
  const caller = await openRaw(t, port)
  caller.write(await writeOut())
  await until(() => broker.published.length === 1, 'the publish')
  caller.socket.destroy()
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await app.close()
  t.match(valuesOf(receiver.named('POST /messaging/send')[0]?.attributes ?? []), { 'error.type': 'caller_gone' })
  t.match(valuesOf(receiver.named('HTTP')[0]?.attributes ?? []), { 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' })
})

t.test('tells once that the receiver is lost and once that it is back, and answers as ever meanwhile', async t => {
  const [broker, receiver] = [await startBroker(t), await startOtlpReceiver(t)]
  const log = createLog()
  process.env.OTEL_BSP_SCHEDULE_DELAY = '20'
  t.teardown(() => { delete process.env.OTEL_BSP_SCHEDULE_DELAY })
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }, log)
  const told = () => log.lines.map(line => JSON.parse(line).msg).filter(msg => msg.startsWith('traces'))
  receiver.script.status = 400
  for (const n of [1, 2, 3]) {
    t.equal((await send(app)).statusCode, 200)
    await until(() => receiver.requests.length >= n, 'an export')
  }
  receiver.script.status = 200
  await until(() => told().length === 1, 'the loss')
  t.equal((await send(app)).statusCode, 200)
  await until(() => told().length === 2, 'the return')
  t.strictSame(told(), ['traces cannot be exported', 'traces are exported again'])
})

t.test('takes sampler, headers and resource from the variables of the SDK', async t => {
  const [broker, receiver] = [await startBroker(t), await startOtlpReceiver(t)]
  const variables = {
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0', OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=acme', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test'
  }
  Object.assign(process.env, variables)
  t.teardown(() => { for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name) })
  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startConnectedApp(t, broker.url, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  await send(app)
  await send(app, EXAMPLE, CALLER)
  await device.count(2)
  await app.close()
  t.strictSame(receiver.spans.map(span => span.traceId), [TRACE, TRACE], 'only the trace that its caller samples')
  t.strictSame(device.received.map(({ properties }) => String({ ...properties?.userProperties }.traceparent).slice(-2)), ['00', '01'], 'the device is told which')
  t.equal(receiver.requests[0]?.headers['x-tenant'], 'acme')
  t.equal(receiver.resources[0]?.['deployment.environment.name'], 'test')
})

t.test('is not kept from closing by a receiver that does not answer', async t => {
  const receiver = await startOtlpReceiver(t)
  receiver.script.isStalled = true
  const app = await startApp(t, { MQTT_URL: NOWHERE, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  t.equal((await send(app)).statusCode, 406)
  const startedMs = performance.now()
  await app.close()
  t.ok(performance.now() - startedMs < 3_000)
  t.equal(receiver.requests.length, 1)
})

t.test('loads nothing and passes on what the caller sent where OTEL_EXPORTER_OTLP_ENDPOINT is not set', async t => {
  const broker = await startBroker(t)
  const before = 'process.on("exit",()=>{const{createRequire}=process.getBuiltinModule("module");' +
    'console.log("loaded:"+Object.keys(createRequire("file:///").cache).filter(f=>f.includes("@opentelemetry")).length+".")})'
  const env = { PORT: '0', HOST: 'localhost', MQTT_URL: broker.url, JWT_SECRET: SECRET }
  const off = runProgram(t, 'src/server.ts', { before, env })
  const on = runProgram(t, 'src/server.ts', { before, env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' } })
  for (const program of [off, on]) {
    await program.says('connected to the broker')
    program.kill('SIGTERM')
    t.equal((await program.exit()).code, 0)
  }
  t.match(off.output.stdout, /loaded:0\./)
  t.match(on.output.stdout, /loaded:[1-9]\d*\./)

  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startConnectedApp(t, broker.url)
  t.equal(app.tracing, undefined)
  await send(app, EXAMPLE, CALLER)
  await device.count(1)
  const { id, request_id: requestId, ...others } = { ...device.received[0]?.properties?.userProperties }
  t.strictSame(others, { traceparent: CALLER.traceparent })
})
