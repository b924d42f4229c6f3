import t from 'tap'
import { EXAMPLE, send, startApp } from '../helpers/app.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const HOPPSCOTCH = 'https://hoppscotch.io'
const preflight = {
  method: 'OPTIONS',
  url: '/messaging/send',
  headers: {
    origin: HOPPSCOTCH,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,idempotency-key'
  }
} as const

t.test('answers the preflight of an allowed origin, without a token', async t => {
  const app = await startApp(t, { ...NOWHERE, CORS_ORIGIN: `${HOPPSCOTCH}, https://other.example` })
  const response = await app.inject(preflight)
  t.equal(response.statusCode, 204)
  t.equal(response.headers['access-control-allow-origin'], HOPPSCOTCH)
  t.equal(response.headers['access-control-allow-methods'], 'GET, POST')
  t.equal(response.headers['access-control-allow-headers'], 'Authorization, Content-Type, Idempotency-Key, Prefer, X-Request-Id')
  t.equal(response.headers['access-control-max-age'], '7200')
  t.match(response.headers.vary, /Origin/)
})

t.test('lets an allowed origin read every answer, refusals included', async t => {
  const app = await startApp(t, { ...NOWHERE, CORS_ORIGIN: HOPPSCOTCH })
  for (const response of [
    await send(app, EXAMPLE, { origin: HOPPSCOTCH }),
    await send(app, EXAMPLE, { origin: HOPPSCOTCH, authorization: '' }),
    await app.inject({ method: 'GET', url: '/nowhere', headers: { origin: HOPPSCOTCH } })
  ]) {
    t.equal(response.headers['access-control-allow-origin'], HOPPSCOTCH)
    t.equal(response.headers['access-control-expose-headers'], 'Accept-Encoding, Allow, Idempotency-Replayed, Preference-Applied, Proxy-Status, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate, X-Request-Id')
  }
})

t.test('lets no other origin read anything', async t => {
  const app = await startApp(t, { ...NOWHERE, CORS_ORIGIN: HOPPSCOTCH })
  const response = await send(app, EXAMPLE, { origin: 'https://evil.example' })
  t.equal(response.headers['access-control-allow-origin'], undefined)
  const refused = await app.inject({ ...preflight, headers: { ...preflight.headers, origin: 'https://evil.example' } })
  t.equal(refused.headers['access-control-allow-origin'], undefined)
})

t.test('lets any origin in with *', async t => {
  const app = await startApp(t, { ...NOWHERE, CORS_ORIGIN: '*' })
  t.equal((await app.inject(preflight)).headers['access-control-allow-origin'], '*')
})

t.test('answers 405 to a preflight where no origin is allowed', async t => {
  const app = await startApp(t, NOWHERE)
  const response = await app.inject(preflight)
  t.equal(response.statusCode, 405)
  t.equal(response.headers['access-control-allow-origin'], undefined)
})
