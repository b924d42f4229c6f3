import { request } from 'node:http'
import t, { type Test } from 'tap'
import { catalogue, type ProblemCode } from '../src/errors.js'
import { startApp, startConnectedApp, token } from './helpers/app.js'
import { listen, openRaw, parseResponse, writeOut } from './helpers/raw-http.js'
import { startScriptedBroker } from './helpers/scripted-broker.js'
import { until } from './helpers/until.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

function assertProblem (t: Test, text: string, code: ProblemCode, statusLine: string): void {
  const response = parseResponse(text)
  const { title, status, detail } = catalogue[code]
  t.equal(response.statusLine, statusLine)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(response.headers.connection, 'close')
  t.match(response.headers['x-request-id'], /^[0-9a-f-]{36}$/)
  t.strictSame(JSON.parse(response.body), { title, status, code, detail })
}

t.test('answers 400 to what is not HTTP, and closes the connection', async t => {
  const raw = await openRaw(t, await listen(t, await startApp(t, NOWHERE)))
  raw.write('OPEN SESAME\r\n\r\n')
  await raw.ended()
  assertProblem(t, raw.text, 'malformed_request', 'HTTP/1.1 400 Bad Request')
})

t.test('answers 431 to a header that is too large', async t => {
  const raw = await openRaw(t, await listen(t, await startApp(t, NOWHERE)))
  raw.write(`GET /health/live HTTP/1.1\r\nHost: a\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`)
  await raw.ended()
  assertProblem(t, raw.text, 'header_fields_too_large', 'HTTP/1.1 431 Request Header Fields Too Large')
})

t.test('answers 408 to a request that does not arrive in time, whatever part of it is missing', async t => {
  const port = await listen(t, await startApp(t, NOWHERE, { requestTimeoutMs: 200 }))
  const head = `POST /messaging/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 40\r\nAuthorization: Bearer ${await token()}\r\n`
  for (const part of ['POST /messaging/send HTTP/1.1\r\nHost: a\r\n', `${head}\r\n{"imei":`]) {
    const raw = await openRaw(t, port)
    raw.write(part)
    await raw.ended()
    assertProblem(t, raw.text, 'request_timeout', 'HTTP/1.1 408 Request Timeout')
  }
})

t.test('writes nothing where a command is under way: it would be taken for its answer', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const raw = await openRaw(t, await listen(t, app))
  raw.write(await writeOut())
  await until(() => broker.published.length === 1, 'the publish')
  raw.write('OPEN SESAME\r\n\r\n')
  await raw.ended()
  t.equal(raw.text, '')
})

t.test('writes nothing into an answer that has begun', async t => {
  const app = await startApp(t, NOWHERE)
  const port = await listen(t, app)
  const raw = await openRaw(t, port)
  raw.write('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\nOPEN SESAME\r\n\r\n')
  await raw.ended()
  t.equal(raw.text.match(/HTTP\/1\.1/g)?.length ?? 0, raw.text === '' ? 0 : 1)
})

t.test('logs why it closed the connection, and nothing of what was received', async t => {
  const lines: string[] = []
  const logger = { level: 'trace', stream: { write (line: string) { lines.push(line) } } }
  const raw = await openRaw(t, await listen(t, await startApp(t, NOWHERE, { logger })))
  const secret = await token()
  raw.write(`POST /messaging/send HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${secret}\r\nno header\r\n\r\n`)
  await raw.ended()
  const line = lines.find(text => text.includes('a connection was closed'))
  const { level, code, reason, msg, ...rest } = JSON.parse(line ?? '{}')
  t.strictSame({ level, code, reason, msg }, {
    level: 20,
    code: 'HPE_INVALID_HEADER_TOKEN',
    reason: 'Parse Error: Invalid header token',
    msg: 'a connection was closed for an error of the client'
  })
  t.strictSame(Object.keys(rest).filter(name => !['time', 'pid', 'hostname'].includes(name)), [])
  const bytes = [...Buffer.from(secret.slice(0, 20))].join()
  for (const part of [secret.slice(0, 20), secret.slice(-20), bytes, 'Bearer']) t.notOk(lines.join('').includes(part), part)
})

t.test('survives callers that reset the connection', async t => {
  const app = await startApp(t, NOWHERE)
  const port = await listen(t, app)
  const raw = await openRaw(t, port)
  raw.write('POST /messaging/send HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n')
  raw.socket.resetAndDestroy()
  await raw.ended()
  const status = await new Promise(resolve => {
    request({ port, path: '/health/live' }, response => { resolve(response.resume().statusCode) }).end()
  })
  t.equal(status, 200)
})
