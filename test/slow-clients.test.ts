import t, { type Test } from 'tap'
import { startApp, startConnectedApp, token } from './helpers/app.js'
import { listen, openRaw, writeOut } from './helpers/raw-http.js'
import { startScriptedBroker } from './helpers/scripted-broker.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

/** A short one of ours in milliseconds, and what a connection may live at most: it is looked at once in a while. */
const SHORT_MS = 150
const SOON_MS = 5_000

/** Writes a beginning, then piece after piece, each long before any time-out, for as long as it is let. */
async function drip (t: Test, port: number, start: string, piece: string): Promise<{ text: string, tookMs: number }> {
  const startedMs = performance.now()
  const raw = await openRaw(t, port)
  raw.write(start)
  const timer = setInterval(() => { raw.write(piece) }, 20)
  t.teardown(() => { clearInterval(timer) })
  await raw.ended()
  clearInterval(timer)
  return { text: raw.text, tookMs: performance.now() - startedMs }
}

t.test('answers 408 to a header that never ends, however steadily it comes', async t => {
  const port = await listen(t, await startApp(t, NOWHERE, { requestTimeoutMs: SHORT_MS }))
  const { text, tookMs } = await drip(t, port, 'GET /health/live HTTP/1.1\r\nHost: a\r\n', 'X-More: of it\r\n')
  t.match(text, /^HTTP\/1\.1 408 /)
  t.ok(tookMs < SOON_MS, `after ${tookMs} ms`)
})

t.test('answers 408 to a body that never ends, however steadily it comes, and publishes nothing', async t => {
  const broker = await startScriptedBroker(t)
  const port = await listen(t, await startConnectedApp(t, broker.url, {}, { requestTimeoutMs: SHORT_MS }))
  const head = `POST /messaging/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${await token()}\r\n`
  for (const [framing, piece] of [['Content-Length: 16000', ' '], ['Transfer-Encoding: chunked', '1\r\n \r\n']] as const) {
    const { text, tookMs } = await drip(t, port, `${head}${framing}\r\n\r\n`, piece)
    t.match(text, /^HTTP\/1\.1 408 /, framing)
    t.ok(tookMs < SOON_MS, `${framing}: after ${tookMs} ms`)
  }
  t.strictSame(broker.published, [])
})

t.test('closes a connection that never sends anything', async t => {
  const raw = await openRaw(t, await listen(t, await startApp(t, NOWHERE, { requestTimeoutMs: SHORT_MS })))
  await raw.ended()
  t.match(raw.text, /^HTTP\/1\.1 408 /)
})

t.test('closes a connection that sends no other request, without a word', async t => {
  const raw = await openRaw(t, await listen(t, await startApp(t, NOWHERE, { idleTimeoutMs: SHORT_MS })))
  raw.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n')
  await raw.ended()
  t.match(raw.text, /^HTTP\/1\.1 200 [^]*\{"status":"live"\}$/)
})

t.test('does not close a connection that waits for its answer', async t => {
  const broker = await startScriptedBroker(t)
  broker.script.onPublish = (packet, connection) => { setTimeout(() => { connection.puback(packet.messageId) }, 4 * SHORT_MS) }
  const port = await listen(t, await startConnectedApp(t, broker.url, {}, { requestTimeoutMs: SHORT_MS, idleTimeoutMs: SHORT_MS }))
  const request = await writeOut()
  const raw = await openRaw(t, port)
  raw.write(request)
  await raw.received('push_down')
  t.match(raw.text, /^HTTP\/1\.1 200 /)
})

t.test('refuses a body that is too large before it has come', async t => {
  const port = await listen(t, await startApp(t, NOWHERE))
  const head = `POST /messaging/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${await token()}\r\n`
  const announced = await openRaw(t, port)
  announced.write(`${head}Content-Length: 16385\r\n\r\n`)
  await announced.received('payload_too_large')
  const chunked = await openRaw(t, port)
  // Not JSON from its first character on: that it is too large is found before it is parsed.
  chunked.write(`${head}Transfer-Encoding: chunked\r\n\r\n4001\r\n${'x'.repeat(0x4001)}\r\n`)
  await chunked.received('payload_too_large')
})

t.test('answers at once to an unknown path or a missing token, whatever body is still to come', async t => {
  const port = await listen(t, await startApp(t, NOWHERE))
  for (const [path, code] of [['/nowhere', 'not_found'], ['/messaging/send', 'token_missing']] as const) {
    const raw = await openRaw(t, port)
    raw.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`)
    await raw.received(code)
  }
})
