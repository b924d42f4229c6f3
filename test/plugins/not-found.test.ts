import t, { type Test } from 'tap'
import { catalogue, type ProblemCode } from '../../src/errors.js'
import { startApp } from '../helpers/app.js'
import { listen, openRaw, parseResponse } from '../helpers/raw-http.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

/** A problem as it is answered without anything special. */
function problem (code: ProblemCode) {
  const { title, status, detail } = catalogue[code]
  return { title, status, code, detail }
}

t.test('answers 404 at unknown paths, with or without a token, before anything else', async t => {
  const app = await startApp(t, NOWHERE)
  for (const [method, url] of [['POST', '/messaging/sendx'], ['GET', '/nowhere'], ['POST', '/messaging/send/'], ['PUT', '/toString'], ['POST', '/messaging%2fsend']] as const) {
    const response = await app.inject({ method, url })
    t.equal(response.statusCode, 404, url)
    t.strictSame(response.json(), problem('not_found'))
    t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.ok(response.headers['x-request-id'])
  }
})

t.test('answers 405 with Allow to other methods of known paths, however those are written', async t => {
  const app = await startApp(t, NOWHERE)
  for (const [method, url, allow] of [
    ['GET', '/messaging/send?x=1', 'POST'], ['DELETE', '/messaging/send', 'POST'], ['POST', '/health/live', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'], ['POST', '/docs', 'GET, HEAD'], ['POST', '/docs/', 'GET, HEAD'], ['POST', '/docs/static/swagger-ui.css', 'GET, HEAD'],
    ['OPTIONS', '/messaging/send', 'POST'], ['GET', '/messaging/%73end', 'POST'], ['PROPFIND', '/messaging/%73end', 'POST']
  ] as const) {
    // A method that inject does not know is none of light-my-request's types.
    const response = await app.inject({ method: method as 'GET', url })
    t.equal(response.statusCode, 405, `${method} ${url}`)
    t.equal(response.headers.allow, allow)
    t.strictSame(response.json(), problem('method_not_allowed'))
  }
})

/** Sends a request as no client library would write it. */
async function ask (t: Test, port: number, line: string) {
  const raw = await openRaw(t, port)
  raw.write(`${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  await raw.ended()
  return parseResponse(raw.text)
}

t.test('takes a target without a path for the root', async t => {
  const port = await listen(t, await startApp(t, NOWHERE))
  const { statusLine, headers } = await ask(t, port, 'POST http://messenger.example')
  t.equal(statusLine, 'HTTP/1.1 405 Method Not Allowed')
  t.equal(headers.allow, 'GET, HEAD')
})

t.test('answers 404 to the target *, which is not the root', async t => {
  const [port, corsPort] = [await listen(t, await startApp(t, NOWHERE)), await listen(t, await startApp(t, { ...NOWHERE, CORS_ORIGIN: '*' }))]
  for (const line of ['GET *', 'POST *', 'GET *docs']) t.match((await ask(t, corsPort, line)).statusLine, /^HTTP\/1\.1 40[04] /, `${line}, with CORS`)
  for (const line of ['GET *', 'POST *', 'OPTIONS *', 'GET *?x', 'GET *docs', 'POST *messaging/send']) {
    const { statusLine, body } = await ask(t, port, line)
    // Node itself refuses some of them.
    if (/ \*$/.test(line)) t.equal(statusLine, 'HTTP/1.1 404 Not Found', line)
    else t.match(statusLine, /^HTTP\/1\.1 40[04] /, line)
    t.match(['not_found', 'malformed_request'], [JSON.parse(body).code])
  }
})

t.test('answers 404 and 405 before it looks at a body', async t => {
  const app = await startApp(t, NOWHERE)
  for (const [type, payload] of [['text/plain', 'x'], ['application/json', '{'], ['application/json', ' '.repeat(2_000_000)]] as const) {
    const headers = { 'content-type': type }
    t.equal((await app.inject({ method: 'POST', url: '/nowhere', headers, payload })).statusCode, 404)
    t.equal((await app.inject({ method: 'PUT', url: '/messaging/send', headers, payload })).statusCode, 405)
  }
})

t.test('answers 400 to a path that cannot be decoded, whatever the method', async t => {
  const app = await startApp(t, NOWHERE)
  for (const method of ['GET', 'PROPFIND']) {
    const response = await app.inject({ method: method as 'GET', url: '/%zz', headers: { 'x-request-id': 'mine' } })
    t.equal(response.statusCode, 400)
    t.strictSame(response.json(), problem('malformed_request'))
    t.equal(response.headers['x-request-id'], 'mine')
  }
})

t.test('looks up a long path as fast as any other', async t => {
  const app = await startApp(t, NOWHERE)
  // A search for its last name that begins anew at each character takes half a second for one of these: together longer than a test may.
  const url = `/${'a'.repeat(15_500)}/x`
  for (let n = 0; n < 1_500; n += 1) {
    const { statusCode } = await app.inject({ method: 'GET', url })
    if (statusCode !== 404) t.equal(statusCode, 404)
  }
})
