import { createServer } from 'node:http'
import { once } from 'node:events'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { MetricsPortError } from '../../src/metrics/server.js'
import { EXAMPLE, SECRET, send, startApp, token } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { startMeasuredApp } from '../helpers/measured-app.js'
import { freePort } from '../helpers/ports.js'
import { openRaw } from '../helpers/raw-http.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { scrape } from '../helpers/scrape.js'
import { until } from '../helpers/until.js'

const NOWHERE = 'mqtt://127.0.0.1:1'

t.test('counts nothing and serves no metrics where METRICS_PORT is not set', async t => {
  const app = await startApp(t, { MQTT_URL: NOWHERE })
  t.equal(app.metrics, undefined)
  t.equal((await app.inject('/metrics')).statusCode, 404)
})

t.test('serves no metrics at its own port where METRICS_PORT is set', async t => {
  const { app } = await startMeasuredApp(t, NOWHERE)
  const response = await app.inject('/metrics')
  t.equal(response.statusCode, 404)
  t.equal(response.json().code, 'not_found')
})

t.test('is scraped as soon as it is ready, without a broker', async t => {
  const { scrape } = await startMeasuredApp(t, NOWHERE)
  const { response, value } = await scrape()
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(value('messenger_broker_connected'), 0)
  t.equal(value('messenger_broker_connections_total'), 0)
  t.ok(Number(value('process_resident_memory_bytes')) > 1_000_000)
})

t.test('counts apart for each server of a process, and the process once', async t => {
  const broker = await startBroker(t)
  const [first, second] = [await startMeasuredApp(t, broker.url), await startMeasuredApp(t, broker.url)]
  await first.app.mqtt.whenConnected()
  await second.app.mqtt.whenConnected()
  t.equal((await send(first.app)).statusCode, 200)
  t.strictSame((await first.scrape()).commands, { 'accepted/': 1 })
  t.strictSame((await second.scrape()).commands, {})
  const names = [...(await first.scrape()).families.keys()]
  t.strictSame([...(await second.scrape()).families.keys()], names)

  await first.app.close()
  const after = await second.scrape()
  t.strictSame([...after.families.keys()], names, 'the end of one takes nothing from the other')
})

t.test('lets another plugin add a counter of its own', async t => {
  const port = await freePort()
  const app = await buildApp(loadConfig({ JWT_SECRET: SECRET, MQTT_URL: NOWHERE, METRICS_PORT: String(port) }))
  t.teardown(() => app.close())
  const keys = app.metrics?.counter('messenger_test_keys_total', 'Keys, by what they met', ['result'])
  const replayed = keys?.({ result: 'replayed' })
  keys?.({ result: 'new' })
  await app.ready()
  t.strictSame((await scrape(port)).seriesOf('messenger_test_keys_total'), { 'result=replayed': 0, 'result=new': 0 })
  replayed?.inc()
  t.strictSame((await scrape(port)).seriesOf('messenger_test_keys_total'), { 'result=replayed': 1, 'result=new': 0 })
})

t.test('is still scraped while a request is under way that a stop waits for, and no more afterwards', async t => {
  const broker = await startScriptedBroker(t)
  const { app, port, scrape } = await startMeasuredApp(t, broker.url)
  await app.mqtt.whenConnected()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const response = fetch(`${url}/messaging/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(EXAMPLE)
  })
  await until(() => broker.published.length === 1, 'the publish')
  const closed = app.close()
  await until(() => app.drain.isRefusing, 'the stop')
  t.equal((await scrape()).value('messenger_publishes_in_flight'), 1)
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await response).status, 200)
  await closed
  await t.rejects(fetch(`http://127.0.0.1:${port}/metrics`))
})

t.test('is not kept from closing by a scrape that is only half sent', async t => {
  const { app, port } = await startMeasuredApp(t, NOWHERE)
  const half = await openRaw(t, port)
  half.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /metr')
  await half.received('messenger_broker_connected 0')
  await app.close()
  await half.ended()
  t.equal(half.text.split('HTTP/1.1 ').length - 1, 1, 'one whole request, one answer')
})

t.test('does not become ready where METRICS_PORT is taken, and leaves nothing open', async t => {
  const broker = await startScriptedBroker(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => { other.close() })
  const address = other.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const app = await buildApp(loadConfig({ JWT_SECRET: SECRET, MQTT_URL: broker.url, METRICS_PORT: port }))
  const error: unknown = await app.ready().then(() => undefined, error => error)
  t.ok(error instanceof MetricsPortError)
  t.match(error, { cause: { code: 'EADDRINUSE' } })
  await app.close()
  t.equal(broker.connections.length, 0, 'it had not begun to connect')
})
