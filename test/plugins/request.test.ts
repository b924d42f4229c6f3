import t from 'tap'
import { requestIdOf } from '../../src/plugins/request-id.js'
import { EXAMPLE, send, startApp, startConnectedApp } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

t.test('takes the request id of the caller where it is valid, and makes one where not', async t => {
  for (const id of ['a', 'A-z_0.9', 'x'.repeat(128)]) t.equal(requestIdOf({ headers: { 'x-request-id': id } }), id)
  for (const id of ['', 'a b', 'a\nb', '"', 'x'.repeat(129), 'a, b', undefined]) {
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

t.test('logs one line for each request: what became of it, and nothing secret', async t => {
  const broker = await startBroker(t)
  const lines: string[] = []
  const app = await startConnectedApp(t, broker.url, {}, { logger: { level: 'trace', stream: { write (line: string) { lines.push(line) } } } })
  lines.length = 0
  await send(app, EXAMPLE, { 'x-request-id': 'sent' })
  await send(app, {}, { 'x-request-id': 'refused' })
  await app.inject({ method: 'GET', url: '/nowhere?token=secret', headers: { authorization: 'Bearer secret', 'x-request-id': 'lost' } })
  const logged = lines.map(line => JSON.parse(line)).map(({ level, reqId, method, path, status, msg, commandId, outcome, durationMs }) => {
    t.equal(typeof durationMs, 'number')
    return { level, reqId, method, path, status, msg, outcome, hasId: UUID.test(commandId) }
  })
  t.strictSame(logged, [
    { level: 30, reqId: 'sent', method: 'POST', path: '/messaging/send', status: 200, msg: 'answered', outcome: 'accepted', hasId: true },
    { level: 30, reqId: 'refused', method: 'POST', path: '/messaging/send', status: 400, msg: 'answered', outcome: undefined, hasId: false },
    { level: 30, reqId: 'lost', method: 'GET', path: '/nowhere', status: 404, msg: 'answered', outcome: undefined, hasId: false }
  ])
  t.notMatch(lines.join(''), /secret|Bearer|eyJ/)
})
