import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { IMEI, startConnectedApp, token, type App } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { openRaw, parseResponse } from '../helpers/raw-http.js'
import { subscribe } from '../helpers/subscriber.js'

/** A server, and a device on its broker. */
async function setUp (t: Test) {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, device }
}

/** The answer to a command that is sent with these lines in its head. */
async function sendRaw (t: Test, app: App, version: string, lines: readonly string[]) {
  const raw = await openRaw(t, (app.server.address() as AddressInfo).port)
  const body = `{"imei":"${IMEI}","micro_op":"push_down"}`
  raw.write([
    `POST /messaging/send${version === '' ? '' : ` HTTP/${version}`}`, ...lines, `Authorization: Bearer ${await token()}`, 'X-Request-Id: mine',
    'Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close', '', body
  ].join('\r\n'))
  await raw.ended()
  return parseResponse(raw.text)
}

t.test('answers a request with an expectation that it does not know as any other', async t => {
  const { app, device } = await setUp(t)
  const { statusLine, headers, body } = await sendRaw(t, app, '1.1', ['Host: a', 'Expect: foo'])
  t.equal(statusLine, 'HTTP/1.1 200 OK')
  t.equal(headers['x-request-id'], 'mine')
  t.equal(body, `{"detail":"Send \`push_down\` to topic \`devices/${IMEI}/commands\`"}`)
  await device.count(1)
})

t.test('answers 400 to a request of HTTP/1.1 without a Host, and publishes nothing; HTTP/1.0 needs none', async t => {
  const { app, device } = await setUp(t)
  const { statusLine, headers, body } = await sendRaw(t, app, '1.1', [])
  t.equal(statusLine, 'HTTP/1.1 400 Bad Request')
  t.equal(headers['x-request-id'], 'mine')
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.strictSame(JSON.parse(body), {
    title: 'Malformed request', status: 400, code: 'malformed_request', detail: 'A request of HTTP/1.1 needs a Host header'
  })
  t.equal((await sendRaw(t, app, '1.0', [])).statusLine, 'HTTP/1.1 200 OK')
  await device.count(1)
  t.equal(device.received.length, 1)
})

t.test('answers 400 to a second Host, whatever it says and in any version, and publishes nothing', async t => {
  const { app, device } = await setUp(t)
  for (const [version, second] of [['1.1', 'Host: b'], ['1.1', 'hOST: a'], ['1.0', 'Host:']] as const) {
    const { statusLine, headers, body } = await sendRaw(t, app, version, ['Host: a', second])
    t.equal(statusLine, 'HTTP/1.1 400 Bad Request')
    t.equal(headers['x-request-id'], 'mine')
    t.strictSame(JSON.parse(body), { title: 'Malformed request', status: 400, code: 'malformed_request', detail: 'Send one Host header' })
  }
  t.equal((await sendRaw(t, app, '1.1', ['Host: a', 'Hose: b'])).statusLine, 'HTTP/1.1 200 OK')
  await device.count(1)
  t.equal(device.received.length, 1)
})

t.test('answers 400 to a second Authorization header, whose token another reader may have taken, and publishes nothing', async t => {
  const { app, device } = await setUp(t)
  const { statusLine, headers, body } = await sendRaw(t, app, '1.1', ['Host: a', `authorization: Bearer ${await token({ sub: 'another' })}`])
  t.equal(statusLine, 'HTTP/1.1 400 Bad Request')
  t.equal(headers['www-authenticate'], 'Bearer realm="messenger", error="invalid_request"')
  t.strictSame(JSON.parse(body), { title: 'Malformed credentials', status: 400, code: 'invalid_request', detail: 'Send one Authorization header' })
  t.equal((await sendRaw(t, app, '1.1', ['Host: a'])).statusLine, 'HTTP/1.1 200 OK')
  await device.count(1)
  t.equal(device.received.length, 1)
})

t.test('answers 400 to other versions of HTTP, or none, and publishes nothing', async t => {
  const { app, device } = await setUp(t)
  for (const version of ['', '0.9', '2.0']) {
    const { statusLine, headers, body } = await sendRaw(t, app, version, ['Host: a'])
    t.equal(statusLine, 'HTTP/1.1 400 Bad Request', version)
    t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
    // A later parser may refuse it before we do.
    t.equal(JSON.parse(body).code, 'malformed_request')
  }
  t.equal((await sendRaw(t, app, '1.1', ['Host: a'])).statusLine, 'HTTP/1.1 200 OK')
  await device.count(1)
  t.equal(device.received.length, 1)
})

t.test('reads all header lines, however many stand before', async t => {
  const { app, device } = await setUp(t)
  const many = Array.from({ length: 2_100 }, () => 'a: b')
  const { statusLine, body } = await sendRaw(t, app, '1.1', ['Host: a', `Authorization: Bearer ${await token()}`, ...many])
  t.equal(statusLine, 'HTTP/1.1 400 Bad Request')
  t.equal(JSON.parse(body).detail, 'Send one Authorization header')
  t.equal((await sendRaw(t, app, '1.1', ['Host: a', ...many])).statusLine, 'HTTP/1.1 200 OK')
  await device.count(1)
  t.equal(device.received.length, 1)
})

for (const start of ['DESCRIBE /messaging/send RTSP/1.0', 'ANNOUNCE * RTSP/1.0', 'SETUP / HTTP/1.1', 'PRI /messaging/send HTTP/1.1', 'PRI * HTTP/2.0']) {
  t.test(`answers 400 to ${start}, once, and goes on`, async t => {
    const { app } = await setUp(t)
    for (const end of ['\r\n', 'X-Request-Id: mine\r\nContent-Length: 2\r\n\r\n{}', '\r\nSM\r\n\r\n']) {
      const raw = await openRaw(t, (app.server.address() as AddressInfo).port)
      raw.write(`${start}\r\nHost: a\r\n${end}`)
      await raw.ended()
      const { statusLine, headers, body } = parseResponse(raw.text)
      t.equal(statusLine, 'HTTP/1.1 400 Bad Request')
      t.match(headers, { 'x-request-id': /^(mine|[\da-f-]{36})$/, 'x-content-type-options': 'nosniff', connection: 'close' })
      t.equal(JSON.parse(body).code, 'malformed_request')
      t.equal(raw.text.split('HTTP/1.1 ').length, 2, 'one answer')
    }
    t.equal((await sendRaw(t, app, '1.1', ['Host: a'])).statusLine, 'HTTP/1.1 200 OK')
  })
}
