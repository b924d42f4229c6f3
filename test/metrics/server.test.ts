import t from 'tap'
import { startMeasuredApp } from '../helpers/measured-app.js'
import { openRaw, parseResponse } from '../helpers/raw-http.js'

const NOWHERE = 'mqtt://127.0.0.1:1'
const PROBLEM = 'application/problem+json; charset=utf-8'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

t.test('answers GET /metrics, whatever its query and token, with the request id of the caller or a new one', async t => {
  const { port } = await startMeasuredApp(t, NOWHERE)
  const url = `http://127.0.0.1:${port}/metrics`
  const asked = await fetch(`${url}?a=b`, { headers: { authorization: 'Bearer nonsense', 'x-request-id': 'mine', origin: 'https://a.example' } })
  t.equal(asked.status, 200)
  t.equal(asked.headers.get('x-request-id'), 'mine')
  t.equal(asked.headers.get('access-control-allow-origin'), null)
  t.match((await fetch(url)).headers.get('x-request-id'), UUID)
})

t.test('answers 404 to everything else', async t => {
  const { port } = await startMeasuredApp(t, NOWHERE, { CORS_ORIGIN: '*' })
  for (const [method, path] of [
    ['GET', '/'], ['GET', '/metrics/'], ['GET', '/health/live'], ['GET', '/openapi.json'], ['POST', '/metrics'], ['DELETE', '/metrics'],
    ['OPTIONS', '/metrics'], ['POST', '/messaging/send']
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    t.equal(response.status, 404, `${method} ${path}`)
    t.equal(response.headers.get('content-type'), PROBLEM)
    t.strictSame(await response.json(), {
      title: 'No such route', status: 404, code: 'not_found', detail: 'There is nothing at this path; GET /metrics is all there is'
    })
  }
})

t.test('answers what is not HTTP, and paths that cannot be decoded, as the port of the callers does', async t => {
  const lines: string[] = []
  const { port } = await startMeasuredApp(t, NOWHERE, {}, { logger: { level: 'warn', stream: { write (line: string) { lines.push(line) } } } })
  for (const request of ['nonsense\r\n\r\n', 'DESCRIBE /metrics RTSP/1.0\r\n\r\n', 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n']) {
    const raw = await openRaw(t, port)
    raw.write(request)
    await raw.ended()
    const { statusLine, headers, body } = parseResponse(raw.text)
    t.equal(statusLine, 'HTTP/1.1 400 Bad Request')
    t.match(headers['x-request-id'], UUID)
    t.strictSame(JSON.parse(body), { title: 'Malformed request', status: 400, code: 'malformed_request', detail: 'The request is not well-formed HTTP' })
  }
  t.strictSame(lines.filter(line => !line.includes('cannot reach the broker')), [], 'none of which is a fault of ours')
})

t.test('answers 500 and shows nothing of the inside where a metric cannot be read, and logs it', async t => {
  const lines: string[] = []
  const { app, port } = await startMeasuredApp(t, NOWHERE, {}, { logger: { level: 'error', stream: { write (line: string) { lines.push(line) } } } })
  app.metrics?.gauge('messenger_test_broken', 'Cannot be read', () => { throw new Error('a secret of the inside') })
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.equal(response.status, 500)
  t.strictSame(await response.json(), {
    title: 'Internal error', status: 500, code: 'internal_error', detail: 'The messenger failed; nothing was published'
  })
  t.equal(lines.length, 1)
  t.equal(JSON.parse(lines[0] ?? '').err.message, 'a secret of the inside')
})

t.test('logs where it is scraped, and no scrape', async t => {
  const lines: string[] = []
  const { port, scrape } = await startMeasuredApp(t, NOWHERE, {}, { logger: { level: 'trace', stream: { write (line: string) { lines.push(line) } } } })
  t.strictSame(lines.map(line => JSON.parse(line).msg).filter(msg => msg.startsWith('Metrics')), [`Metrics at http://127.0.0.1:${port}/metrics`])
  lines.length = 0
  await scrape()
  t.strictSame(lines.filter(line => line.includes('/metrics')), [])
})
