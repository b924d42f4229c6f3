import t from 'tap'
import { EXAMPLE, send, startConnectedApp } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { listen, openRaw, parseResponse, writeOut } from '../helpers/raw-http.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

t.test('while it leaves, serves as before but is not ready', async t => {
  const broker = await startBroker(t)
  const app = await startConnectedApp(t, broker.url)
  t.equal((await app.inject('/health/ready')).statusCode, 200)
  app.drain.leave()
  const ready = await app.inject('/health/ready')
  t.equal(ready.statusCode, 503)
  t.equal(ready.json().code, 'shutting_down')
  t.equal((await send(app)).statusCode, 200)
})

t.test('refuses new requests with 503 and closes their connections, except for probes and unknown routes', async t => {
  const broker = await startBroker(t)
  const app = await startConnectedApp(t, broker.url)
  app.drain.refuse()
  for (const response of [await send(app), await send(app, EXAMPLE, { authorization: '' }), await app.inject('/openapi.json')]) {
    t.equal(response.statusCode, 503)
    t.equal(response.headers.connection, 'close')
    t.equal(response.headers['retry-after'], '1')
    t.ok(response.headers['x-request-id'])
    t.strictSame(response.json(), {
      title: 'Shutting down', status: 503, code: 'shutting_down', detail: 'This server is stopping; nothing was published'
    })
  }
  t.equal((await app.inject('/health/live')).statusCode, 200)
  t.equal((await app.inject('/health/ready')).statusCode, 503)
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  t.equal((await app.inject({ method: 'PUT', url: '/messaging/send' })).statusCode, 405)
})

t.test('closes the connection of what was under way with its answer, so that nothing keeps the server', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const caller = await openRaw(t, await listen(t, app))
  caller.write(await writeOut())
  await until(() => broker.published.length === 1, 'the publish')
  const closed = app.close()
  await until(() => app.drain.isRefusing, 'the refusal of new requests')
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await caller.ended()
  const { statusLine, headers } = parseResponse(caller.text)
  t.strictSame([statusLine, headers.connection], ['HTTP/1.1 200 OK', 'close'])
  await closed
})
