import { METHODS as NODE_METHODS } from 'node:http'
import t from 'tap'
import { send } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { startMeasuredApp } from '../helpers/measured-app.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

const NOWHERE = 'mqtt://127.0.0.1:1'
const COUNT = 'messenger_http_request_duration_seconds_count'

t.test('measures each answer by its method, its route as registered and its status', async t => {
  const broker = await startBroker(t)
  const { app, scrape } = await startMeasuredApp(t, broker.url)
  t.strictSame((await scrape()).seriesOf(COUNT), {})
  await app.mqtt.whenConnected()
  await send(app)
  await send(app)
  await send(app, {})
  await send(app, undefined, { authorization: '' })
  await app.inject('/health/live?x=1')
  await app.inject({ method: 'HEAD', url: '/health/live' })
  await app.inject('/openapi.json')
  await app.inject('/nowhere?token=x')
  await app.inject({ method: 'PUT', url: '/messaging/send' })
  t.strictSame((await scrape()).seriesOf(COUNT), {
    'method=POST,route=/messaging/send,status_code=200': 2,
    'method=POST,route=/messaging/send,status_code=400': 1,
    'method=POST,route=/messaging/send,status_code=401': 1,
    'method=GET,route=/health/live,status_code=200': 1,
    'method=HEAD,route=/health/live,status_code=200': 1,
    'method=GET,route=/openapi.json,status_code=200': 1,
    'method=GET,route=none,status_code=404': 1,
    'method=PUT,route=none,status_code=405': 1
  })
})

t.test('measures from the receipt of a request to its answer, in seconds', async t => {
  const broker = await startScriptedBroker(t)
  const { clock, advance } = createFakeClock()
  const { app, scrape } = await startMeasuredApp(t, broker.url, {}, { clock })
  await app.mqtt.whenConnected()
  const response = send(app)
  await until(() => broker.published.length === 1, 'the publish')
  advance(1_500)
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await response).statusCode, 200)
  t.strictSame((await scrape()).seriesOf('messenger_http_request_duration_seconds_sum'), { 'method=POST,route=/messaging/send,status_code=200': 1.5 })
})

t.test('gets no series more from 1,000 paths, imeis, micro_ops and request ids, whatever the method', async t => {
  const { app, scrape } = await startMeasuredApp(t, NOWHERE)
  const ask = async (n: number) => {
    await app.inject({ method: 'GET', url: `/p${n}/${'x'.repeat(n % 50)}?q=${n}` })
    await app.inject({ method: 'POST', url: `/messaging/send/${n}` })
    await send(app, { imei: `imei-${n}`, micro_op: `micro-op-${n}` }, { 'x-request-id': `request-${n}` })
  }
  await ask(0)
  const before = await scrape()
  for (let n = 1; n <= 1_000; n += 1) await ask(n)
  const after = await scrape()
  const ours = (scraped: typeof before) => [...scraped.families.values()].filter(({ name }) => name.startsWith('messenger_'))
    .flatMap(({ samples }) => samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`))
  t.strictSame(ours(after), ours(before))
  t.notMatch(after.text, /imei-|micro-op-|request-|\/p\d/)
  t.strictSame(after.commands, { 'not_sent/not_connected': 1_001 })
})

t.test('takes all methods but the common ones together', async t => {
  const { app, scrape } = await startMeasuredApp(t, NOWHERE)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  // CONNECT and TRACE are what fetch refuses to send, QUERY what newer versions of Node add.
  const methods = NODE_METHODS.filter(method => !['CONNECT', 'TRACE', 'QUERY'].includes(method))
  for (const method of methods) await fetch(`${url}/nowhere`, { method })
  const named = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']
  t.strictSame((await scrape()).seriesOf(COUNT), {
    ...Object.fromEntries(named.map(method => [`method=${method},route=none,status_code=404`, 1])),
    'method=other,route=none,status_code=404': methods.length - named.length
  })
})
