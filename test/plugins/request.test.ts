import t from 'tap'
import { requestIdOf } from '../../src/plugins/request-id.js'
import { startApp } from '../helpers/app.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

t.test('takes the request id of the caller where it is valid, and makes one where not', async t => {
  for (const id of ['a', 'A-z_0.9', 'x'.repeat(128), 'eye.1', 'key.one.two']) t.equal(requestIdOf({ headers: { 'x-request-id': id } }), id)
  for (const id of ['', 'a b', 'a\nb', '"', 'x'.repeat(129), 'a, b', 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA', 'eyA.e30.', undefined]) {
    t.match(requestIdOf({ headers: { 'x-request-id': id } }), UUID)
  }
})

t.test('puts the request id on every answer', async t => {
  const app = await startApp(t, { ...NOWHERE, CORS_ORIGIN: '*' })
  for (const request of [
    { method: 'GET', url: '/health/live' }, { method: 'GET', url: '/nowhere' }, { method: 'POST', url: '/messaging/send' },
    { method: 'PUT', url: '/messaging/send' }, { method: 'GET', url: '/openapi.json' }, { method: 'OPTIONS', url: '/messaging/send' }
  ] as const) {
    const response = await app.inject({ ...request, headers: { 'x-request-id': 'mine', origin: 'https://a.example' } })
    t.equal(response.headers['x-request-id'], 'mine', `${request.method} ${request.url}`)
  }
})
