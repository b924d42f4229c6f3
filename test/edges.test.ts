import { once } from 'node:events'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config/config.js'
import { EXAMPLE, startApp, startConnectedApp, token, TOPIC, type App } from './helpers/app.js'
import { startBroker } from './helpers/broker.js'
import { createCertificates, skipWithoutOpenssl } from './helpers/certificates.js'
import { COMPLETE } from './helpers/config.js'
import { openRaw } from './helpers/raw-http.js'
import { subscribe } from './helpers/subscriber.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

async function listen (t: Test, app: App): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => { app.server.closeAllConnections() })
  return (app.server.address() as AddressInfo).port
}

t.test('with a certificate', { skip: skipWithoutOpenssl }, async t => {
  const certificates = createCertificates(t)
  const TLS = { TLS_CERT_FILE: certificates.path('server.crt'), TLS_KEY_FILE: certificates.path('server.key') }
  const ca = certificates.read('ca.crt')

  t.test('serves HTTPS, and says so of its address', async t => {
    const broker = await startBroker(t)
    const device = await subscribe(t, broker.url, '#')
    const app = await startConnectedApp(t, broker.url, TLS)
    const port = await listen(t, app)
    t.equal(app.listeningOrigin, `https://127.0.0.1:${port}`)
    const authorization = `Bearer ${await token()}`
    // Without an agent, which would keep the connection.
    const call = request({ agent: false, port, host: '127.0.0.1', ca, method: 'POST', path: '/messaging/send', headers: { authorization, 'content-type': 'application/json' } })
    call.end(JSON.stringify(EXAMPLE))
    const [response] = await once(call, 'response')
    t.equal(response.statusCode, 200)
    t.equal((await response.toArray()).join(''), JSON.stringify({ detail: `Send \`push_down\` to topic \`${TOPIC}\`` }))
    await device.count(1)
    t.strictSame(device.payloads, ['push_down'])
  })

  t.test('speaks neither plain HTTP nor TLS 1.1', async t => {
    const port = await listen(t, await startApp(t, { ...NOWHERE, ...TLS }))
    const raw = await openRaw(t, port)
    raw.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n')
    await raw.ended()
    t.notMatch(raw.text, /HTTP/)
    const old = connect({ port, host: '127.0.0.1', ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    await t.rejects(once(old, 'secureConnect'), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
  })

  t.test('closes a connection whose handshake does not come, or never ends', async t => {
    const port = await listen(t, await startApp(t, { ...NOWHERE, ...TLS }, { requestTimeoutMs: 150 }))
    const silent = await openRaw(t, port)
    await silent.ended()
    t.equal(silent.text, '')
    const slow = await openRaw(t, port)
    // The header of a ClientHello of 512 bytes, and then one of them at a time.
    slow.socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
    const timer = setInterval(() => { slow.socket.write(Buffer.alloc(1)) }, 40)
    t.teardown(() => { clearInterval(timer) })
    await slow.ended()
    t.equal(slow.text, '')
  })

  t.test('answers 408 to a request that comes too slowly over TLS', async t => {
    const port = await listen(t, await startApp(t, { ...NOWHERE, ...TLS }, { requestTimeoutMs: 1_000 }))
    const socket = connect({ port, host: '127.0.0.1', ca })
    await once(socket, 'secureConnect')
    socket.write('GET /health/live HTTP/1.1\r\n')
    t.match((await socket.toArray()).join(''), /^HTTP\/1\.1 408 /)
  })
})

/** The address that the server takes a caller for who names others in `X-Forwarded-For`. */
async function addressSeen (t: Test, trusted: string, forwarded: string, remoteAddress: string): Promise<string> {
  const app = await buildApp(loadConfig({ ...COMPLETE, ...NOWHERE, TRUST_PROXY: trusted }))
  t.teardown(() => app.close())
  app.get('/address', { config: { public: true } }, async request => request.ip)
  return (await app.inject({ url: '/address', headers: { 'x-forwarded-for': forwarded }, remoteAddress })).body
}

t.test('believes X-Forwarded-For only from a trusted proxy, and only back to the first that is not', async t => {
  t.equal(await addressSeen(t, '', '192.0.2.1', '10.1.1.1'), '10.1.1.1', 'nobody is trusted')
  t.equal(await addressSeen(t, '10.0.0.0/8', '192.0.2.1', '10.1.1.1'), '192.0.2.1')
  t.equal(await addressSeen(t, '10.0.0.0/8', '192.0.2.1', '203.0.113.9'), '203.0.113.9', 'who is no proxy is believed nothing')
  t.equal(await addressSeen(t, '10.0.0.0/8', '198.51.100.7, 192.0.2.1, 10.2.2.2', '10.1.1.1'), '192.0.2.1', 'what a caller put before is its own claim')
  t.equal(await addressSeen(t, '2001:db8::/32,10.1.1.1', '2001:db8:1::1', '10.1.1.1'), '2001:db8:1::1')
  t.equal(await addressSeen(t, '10.0.0.0/8', '192.0.2.1', '::ffff:10.1.1.1'), '192.0.2.1', 'a proxy seen through a socket for both versions')
})
