import type { AddressInfo } from 'node:net'
import t from 'tap'
import { send, startApp } from '../helpers/app.js'
import { openRaw, parseResponse } from '../helpers/raw-http.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

t.test('tells caches and browsers on every answer to keep nothing and to guess nothing', async t => {
  const app = await startApp(t, { ...NOWHERE, CORS_ORIGIN: '*' })
  const responses = [
    await send(app),
    await send(app, {}),
    await app.inject('/health/live'),
    await app.inject('/health/ready'),
    await app.inject('/openapi.json'),
    await app.inject('/nowhere'),
    await app.inject('/%zz'),
    await app.inject({ method: 'POST', url: '/messaging/send' }),
    await app.inject({ method: 'PUT', url: '/messaging/send' }),
    await app.inject({ method: 'OPTIONS', url: '/messaging/send', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } })
  ]
  t.strictSame(responses.map(({ statusCode }) => statusCode), [406, 400, 200, 503, 200, 404, 400, 401, 405, 204])
  for (const { headers, statusCode } of responses) {
    t.equal(headers['cache-control'], 'no-store', String(statusCode))
    t.equal(headers['x-content-type-options'], 'nosniff', String(statusCode))
  }
})

t.test('tells them so where the request is not even HTTP', async t => {
  const app = await startApp(t, NOWHERE)
  await app.listen({ port: 0 })
  const raw = await openRaw(t, (app.server.address() as AddressInfo).port)
  raw.write('OPEN SESAME\r\n\r\n')
  await raw.ended()
  const { headers } = parseResponse(raw.text)
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers['x-content-type-options'], 'nosniff')
})
