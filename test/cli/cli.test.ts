import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EXAMPLE, IMEI, SECRET, send, startConnectedApp } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { createFolder, runProgram, type ProgramOptions } from '../helpers/program.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

async function run (t: Test, program: string, options: ProgramOptions) {
  const started = runProgram(t, `src/cli/${program}.ts`, options)
  const { code } = await started.exit()
  return { code, ...started.output }
}

const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

t.test('prints a token that the server takes', async t => {
  const broker = await startBroker(t)
  const env = { JWT_SECRET: SECRET, JWT_SCOPE: 'send', JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'messenger' }
  const app = await startConnectedApp(t, broker.url, env)
  const { code, stdout } = await run(t, 'token', { env })
  t.equal(code, 0)
  t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${stdout.trim()}` })).statusCode, 200)
  const { iat, exp, ...claims } = payloadOf(stdout)
  t.equal(exp - iat, 3600)
  t.strictSame(claims, { sub: 'demo', iss: 'https://issuer.example', aud: 'messenger', scope: 'send' })
})

t.test('puts into a token what it is told', async t => {
  const args = ['--sub', 'gate', '--scope', 'a b', '--expires-in', '60', '--claim', 'tenant=acme', '--claim', 'n=[1,"x"]', '--claim', 'eq=a=b']
  const { stdout } = await run(t, 'token', { args, env: { JWT_SECRET: SECRET } })
  const { iat, exp, ...claims } = payloadOf(stdout)
  t.equal(exp - iat, 60)
  t.strictSame(claims, { sub: 'gate', scope: 'a b', tenant: 'acme', n: [1, 'x'], eq: 'a=b' })
})

t.test('prints no token where it cannot, and says why', async t => {
  const publicKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const cases: Array<[ProgramOptions, RegExp]> = [
    [{}, /^there is no secret yet: start the messenger once/],
    [{ env: { JWT_PUBLIC_KEY: publicKey } }, /^JWT_PUBLIC_KEY is set: only its issuer/],
    [{ env: { OIDC_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'messenger' } }, /^OIDC_ISSUER or JWT_JWKS_URL is set: only that issuer/],
    [{ env: { JWT_SECRET: SECRET }, args: ['--expires-in', '0'] }, /^--expires-in must be/],
    [{ env: { JWT_SECRET: SECRET }, args: ['--claim', 'tenant'] }, /^--claim must be KEY=VALUE, not tenant/],
    [{ env: { JWT_SECRET: SECRET }, args: ['--claim', '=x'] }, /^--claim must be KEY=VALUE, not =x/],
    [{ env: { JWT_SECRET: SECRET }, args: ['--tenant', 'x'] }, /Unknown option '--tenant'/]
  ]
  for (const [options, message] of cases) {
    const { code, stdout, stderr } = await run(t, 'token', options)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(stderr, message)
    t.match(stderr, /^Usage: npm run -s token/m)
  }
})

t.test('prints how it is used', async t => {
  const { code, stdout, stderr } = await run(t, 'token', { args: ['--help'] })
  t.strictSame([code, stderr], [0, ''])
  t.match(stdout, /^Usage: npm run -s token -- \[options\]\n/)
})

t.test('is a device that prints each command, found through the demo', async t => {
  const cwd = createFolder(t)
  const server = runProgram(t, 'src/server.ts', { cwd, env: { PORT: '0' } })
  await server.says('Another token')
  const device = runProgram(t, 'src/cli/device.ts', { cwd, args: [IMEI] })
  await until(() => device.output.stderr.includes(`waiting for commands on devices/${IMEI}/commands (Ctrl-C ends)`), 'the subscription', 20_000)
  const { stdout: token } = await run(t, 'token', { cwd })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output.stdout)?.[0] ?? ''
  const response = await fetch(`${url}/messaging/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
    body: JSON.stringify(EXAMPLE)
  })
  t.equal(response.status, 200)
  await device.says('push_down')
  t.match(device.output.stdout, new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z devices/${IMEI}/commands push_down\\n$`))
  device.kill('SIGINT')
  t.strictSame(await device.exit(), { code: 0, signal: null })
})

t.test('is a device of a tenant, by default of the one that tokens are for', async t => {
  const broker = await startBroker(t)
  const env = { MQTT_URL: broker.url, JWT_SECRET: SECRET, MQTT_TOPIC: 't/{claims.tenant}/{imei}', AUTHORIZATION_DETAILS: 'required' }
  const devices = [['--claim', 'tenant=acme'], []].map(args => runProgram(t, 'src/cli/device.ts', { args: [IMEI, ...args], env }))
  for (const device of devices) await until(() => device.output.stderr.includes('waiting for commands on'), 'the subscription', 20_000)
  t.strictSame(devices.map(({ output }) => /on (\S+)/.exec(output.stderr)?.[1]), [`t/acme/${IMEI}`, `t/demo/${IMEI}`])
  const { stdout: token } = await run(t, 'token', { env })
  const app = await startConnectedApp(t, broker.url, env)
  t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${token.trim()}` })).statusCode, 200)
  await devices[1]?.says('push_down')
  t.equal(devices[0]?.output.stdout, '')
})

t.test('is a device, and has a token, of a tenant that looks like a number', async t => {
  const broker = await startBroker(t)
  const env = { MQTT_URL: broker.url, JWT_SECRET: SECRET, MQTT_TOPIC: 't/{claims.tenant}/{imei}' }
  const args = ['--claim', 'tenant=42']
  const device = runProgram(t, 'src/cli/device.ts', { args: [IMEI, ...args], env })
  await until(() => device.output.stderr.includes(`waiting for commands on t/42/${IMEI} `), 'the subscription', 20_000)
  const { stdout: token } = await run(t, 'token', { args: [...args, '--claim', 'n=42'], env })
  t.match(payloadOf(token), { tenant: '42', n: 42 })
  t.match(payloadOf((await run(t, 'token', { args: ['--claim', 'tenant="42"'], env })).stdout), { tenant: '42' })
  const app = await startConnectedApp(t, broker.url, env)
  t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${token.trim()}` })).statusCode, 200)
  await device.says('push_down')
})

t.test('is a device under a name of its own without the password of the messenger', async t => {
  const broker = await startScriptedBroker(t)
  const env = { MQTT_URL: broker.url, MQTT_USERNAME: 'messenger', MQTT_PASSWORD: 'of the messenger' }
  for (const args of [['1'], ['1', '--username', 'gate-{imei}'], ['1', '--username', 'gate-{imei}', '--password', 'its own']]) {
    const device = runProgram(t, 'src/cli/device.ts', { args, env })
    await until(() => device.output.stderr.includes('waiting for commands'), 'the subscription', 20_000)
    device.kill('SIGTERM')
    t.equal((await device.exit()).code, 0)
  }
  t.strictSame(broker.connections.map(({ connect }) => [connect?.username, connect?.password?.toString()]), [
    ['messenger', 'of the messenger'], ['gate-1', undefined], ['gate-1', 'its own']
  ])
})

t.test('is a device that writes no control characters of others to a terminal, and ends when nobody reads any more', async t => {
  const broker = await startScriptedBroker(t)
  const device = runProgram(t, 'src/cli/device.ts', { args: ['1'], env: { MQTT_URL: broker.url } })
  await until(() => broker.connections[0]?.subscribed.length === 1, 'the subscription', 20_000)
  const deliver = (payload: string) => {
    broker.connections[0]?.send({ cmd: 'publish', topic: 'devices/1/commands', payload, qos: 0, dup: false, retain: false })
  }
  deliver('\u001B[2J\nforged "line"\u009B')
  await device.says(' devices/1/commands "\\u001b[2J\\nforged \\"line\\"\\u009b"\n')
  device.closeOutput()
  deliver('one')
  await until(() => { deliver('more'); return !device.isAlive }, 'its end', 20_000)
  t.strictSame(await device.exit(), { code: 0, signal: null })
  t.notMatch(device.output.stderr, 'EPIPE')
})

t.test('is a device of MQTT 3.1.1 on a broker of the configuration', async t => {
  const broker = await startBroker(t)
  const env = { MQTT_URL: broker.url, MQTT_PROTOCOL: '3.1.1', JWT_SECRET: SECRET }
  const device = runProgram(t, 'src/cli/device.ts', { args: [IMEI], env })
  await until(() => device.output.stderr.includes('waiting for commands'), 'the subscription', 20_000)
  const app = await startConnectedApp(t, broker.url, env)
  t.equal((await send(app)).statusCode, 200)
  await device.says('push_down')
  device.kill('SIGTERM')
  t.equal((await device.exit()).code, 0)
})

t.test('is no device where it cannot be one, and says why', async t => {
  const cases: Array<[ProgramOptions, RegExp]> = [
    [{}, /^name one imei/],
    [{ args: ['1', '2'] }, /^name one imei/],
    [{ args: ['a/b'], env: { MQTT_URL: 'mqtt://127.0.0.1:1' } }, /^imei cannot stand in a topic/],
    [{ args: ['1'] }, /^there is no broker in \.messenger\/demo\.json: is the messenger running\? npm start\n/]
  ]
  for (const [options, message] of cases) {
    const { code, stderr } = await run(t, 'device', options)
    t.equal(code, 1)
    t.match(stderr, message)
    t.match(stderr, /^Usage: npm run -s device/m)
  }
})

t.test('says that the broker does not let it subscribe', async t => {
  const broker = await startScriptedBroker(t, { subackCode: 0x87 })
  const device = runProgram(t, 'src/cli/device.ts', { args: ['1'], env: { MQTT_URL: broker.url } })
  await until(() => device.output.stderr.includes('Not authorized'), 'the message', 20_000)
  device.kill('SIGTERM')
  t.equal((await device.exit()).code, 0)
})

t.test('says that the broker is away, and goes on trying', async t => {
  const device = runProgram(t, 'src/cli/device.ts', { args: ['1'], env: { MQTT_URL: 'mqtt://127.0.0.1:1' } })
  await until(() => device.output.stderr.includes('connect ECONNREFUSED 127.0.0.1:1\n'), 'the message', 20_000)
  device.kill('SIGTERM')
  t.equal((await device.exit()).code, 0)
})

t.test('asks whether the messenger is running where the broker of the demo is away', async t => {
  const cwd = createFolder(t)
  mkdirSync(join(cwd, '.messenger'))
  writeFileSync(join(cwd, '.messenger/demo.json'), '{"broker":"mqtt://127.0.0.1:1"}')
  const device = runProgram(t, 'src/cli/device.ts', { cwd, args: ['1'] })
  await until(() => device.output.stderr.includes('connect ECONNREFUSED 127.0.0.1:1: is the messenger running? npm start\n'), 'the message', 20_000)
  device.kill('SIGTERM')
  t.equal((await device.exit()).code, 0)
})
