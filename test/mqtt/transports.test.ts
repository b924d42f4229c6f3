import { pbkdf2Sync, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { send, startApp, startConnectedApp } from '../helpers/app.js'
import { createCertificates, skipWithoutOpenssl } from '../helpers/certificates.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { until } from '../helpers/until.js'

const skip = skipWithoutMosquitto !== false ? skipWithoutMosquitto : skipWithoutOpenssl

/** A Mosquitto that speaks TLS; `lines` are more of its listener. */
async function startTlsMosquitto (t: Test, lines: readonly string[] = []) {
  const certificates = createCertificates(t)
  const files = Object.fromEntries(['ca.crt', 'server.crt', 'server.key'].map(name => [name, certificates.read(name)]))
  const broker = await startMosquitto(t, {
    files,
    listener: ['cafile {dir}/ca.crt', 'certfile {dir}/server.crt', 'keyfile {dir}/server.key', ...lines]
  })
  return { certificates, port: broker.port }
}

/** Lines of the log that say why there is no connection. */
async function reasonOf (t: Test, env: Record<string, string>): Promise<string> {
  const lines: string[] = []
  await startApp(t, env, { logger: { level: 'warn', stream: { write (line: string) { lines.push(line) } } } })
  await until(() => lines.length > 0, 'the log line')
  return JSON.parse(lines[0] ?? '').reason
}

t.test('connects with TLS to a broker of a trusted authority, and to no other', { skip }, async t => {
  const { certificates, port } = await startTlsMosquitto(t)
  const url = `mqtts://127.0.0.1:${port}`
  const app = await startConnectedApp(t, url, { MQTT_CA_FILE: certificates.path('ca.crt') })
  t.equal((await send(app)).statusCode, 200)
  t.match(await reasonOf(t, { MQTT_URL: url }), /self-signed|unable to verify|local issuer/)
})

t.test('shows its client certificate where the broker requires one', { skip }, async t => {
  const { certificates, port } = await startTlsMosquitto(t, ['require_certificate true'])
  const url = `mqtts://127.0.0.1:${port}`
  const ca = { MQTT_CA_FILE: certificates.path('ca.crt') }
  const app = await startConnectedApp(t, url, {
    ...ca, MQTT_CERT_FILE: certificates.path('client.crt'), MQTT_KEY_FILE: certificates.path('client.key')
  })
  t.equal((await send(app)).statusCode, 200)
  t.ok(await reasonOf(t, { MQTT_URL: url, ...ca }))
})

t.test('connects over WebSocket, and over WebSocket with TLS', { skip }, async t => {
  // Mosquitto 2.0.11 does not start with WebSocket listeners alone.
  const another = ['protocol websockets', `listener ${await freePort()} 127.0.0.1`]
  const plain = await startMosquitto(t, { listener: another })
  t.equal((await send(await startConnectedApp(t, `ws://127.0.0.1:${plain.port}`))).statusCode, 200)
  await plain.stop()
  const { certificates, port } = await startTlsMosquitto(t, another)
  const app = await startConnectedApp(t, `wss://127.0.0.1:${port}`, { MQTT_CA_FILE: certificates.path('ca.crt') })
  t.equal((await send(app)).statusCode, 200)
})

t.test('gives user name and password, and says why where the broker refuses them', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t, {
    config: ['allow_anonymous false', 'password_file {dir}/passwords'],
    files: { passwords: hashPassword('gateway', 'right') }
  })
  const app = await startConnectedApp(t, broker.url, { MQTT_USERNAME: 'gateway', MQTT_PASSWORD: 'right' })
  t.equal((await send(app)).statusCode, 200)
  t.equal(await reasonOf(t, { MQTT_URL: broker.url, MQTT_USERNAME: 'gateway', MQTT_PASSWORD: 'wrong' }), 'Connection refused: Not authorized')
})

/** A line of Mosquitto's password file: `$7$` is PBKDF2 with SHA-512. */
function hashPassword (user: string, password: string): string {
  const salt = randomBytes(12)
  const rounds = 101
  const hash = pbkdf2Sync(password, salt, rounds, 64, 'sha512')
  return `${user}:$7$${rounds}$${salt.toString('base64')}$${hash.toString('base64')}\n`
}

t.test('fails over to the next broker, and sends there', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t)
  const other = await startMosquitto(t)
  const app = await startConnectedApp(t, `mqtt://127.0.0.1:${await freePort()},${broker.url},${other.url}`)
  t.equal((await send(app)).statusCode, 200)
  await broker.stop('SIGKILL')
  await until(() => !app.mqtt.isConnected, 'the loss of the connection')
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 200)
})
