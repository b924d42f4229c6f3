import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createFolder, runProgram, type ProgramOptions } from './helpers/program.js'
import { SECRET } from './helpers/app.js'
import { freePort } from './helpers/ports.js'
import { skipWithout } from './helpers/shell.js'
import { subscribe } from './helpers/subscriber.js'

/** What the banner names. */
function readBanner (stdout: string) {
  return {
    url: /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0] ?? '',
    broker: /mqtt:\/\/127\.0\.0\.1:\d+/.exec(/^MQTT broker.*$/m.exec(stdout)?.[0] ?? '')?.[0] ?? '',
    curl: /^curl .*$/m.exec(stdout)?.[0] ?? ''
  }
}

t.test('starts on a clean machine and prints a curl line that works when pasted', { skip: skipWithout('curl') }, async t => {
  const cwd = createFolder(t)
  const server = runProgram(t, 'src/server.ts', { cwd, env: { PORT: '0' } })
  await server.says('Another token')
  const { url, broker, curl } = readBanner(server.output.stdout)
  t.match(server.output.stdout, new RegExp(`^In the browser {5}${url}/docs$`, 'm'))
  const [banner = ''] = /^messenger \(demo\)[\s\S]*^Another token.*$/m.exec(server.output.stdout) ?? []
  const wide = banner.split('\n').filter(line => line.length > 80)
  t.strictSame(wide, [curl], 'fits a terminal of 80 columns, but for the line to paste, which has a token')
  const device = await subscribe(t, broker, 'devices/26372637216372637126376237/commands')
  const body = execFileSync('sh', ['-c', `${curl} -s`], { encoding: 'utf8', timeout: 10_000 })
  t.equal(body, '{"detail":"Send `push_down` to topic `devices/26372637216372637126376237/commands`"}')
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])

  const file = join(cwd, '.messenger/demo.json')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(JSON.parse(readFileSync(file, 'utf8')).broker, broker)

  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('lets a token outlive a restart of the demo', async t => {
  const cwd = createFolder(t)
  const secrets = []
  for (let start = 0; start < 2; start += 1) {
    const server = runProgram(t, 'src/server.ts', { cwd, env: { PORT: '0' } })
    await server.says('Another token')
    secrets.push(JSON.parse(readFileSync(join(cwd, '.messenger/demo.json'), 'utf8')).secret)
    server.kill('SIGINT')
    t.equal((await server.exit()).code, 0)
  }
  t.equal(secrets[0], secrets[1])
})

t.test('listens on one address of a name that has two', async t => {
  // As a hosts file would have it that knows both. Fastify asks for all of them.
  const before = `import dns from 'node:dns'
    const { lookup } = dns
    dns.lookup = (host, options, done) => {
      if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }])
      else lookup(host, options, done)
    }`
  const server = runProgram(t, 'src/server.ts', { before, env: { HOST: 'localhost', PORT: '0', METRICS_PORT: '0', MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET } })
  for (const text of ['Metrics at', 'Server listening at']) await server.says(text)
  server.kill('SIGTERM')
  t.equal((await server.exit()).code, 0)
  const places = [...server.output.stdout.matchAll(/"msg":"(Metrics|Server listening) at http:\/\/([^/"]+):\d+/g)].map(([, what, host]) => [what, host])
  t.strictSame(places.sort(), [['Metrics', '127.0.0.1'], ['Server listening', '127.0.0.1']])
})

t.test('prints the banner also where only the secret is a demo and the broker is away', async t => {
  const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', MQTT_URL: 'mqtt://user:s3cret@127.0.0.1:1,ws://127.0.0.1:1/mqtt?token=s3cret' } })
  await server.says('Another token')
  t.match(server.output.stdout, /^MQTT broker {8}mqtt:\/\/127\.0\.0\.1:1, ws:\/\/127\.0\.0\.1:1\/mqtt$/m)
  t.notOk(server.output.stdout.includes('s3cret'))
  server.kill('SIGTERM')
  t.equal((await server.exit()).code, 0)
})

t.test('shows no token where the key is the operator\'s own', async t => {
  const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', JWT_SECRET: SECRET, JWT_ISSUER: 'https://issuer.example', MICRO_OPS: 'open,close' } })
  await server.says('Another token')
  t.match(readBanner(server.output.stdout).curl, /Bearer \$TOKEN"/)
  t.match(readBanner(server.output.stdout).curl, '"micro_op":"open"', 'one that is allowed')
  t.notOk(server.output.stdout.includes(SECRET))
  server.kill('SIGTERM')
  t.equal((await server.exit()).code, 0)
})

t.test('reads .env, and the environment before it', async t => {
  const cwd = createFolder(t)
  writeFileSync(join(cwd, '.env'), `PORT=1\nLOG_LEVEL=warn\nJWT_SECRET="${SECRET}"\nMQTT_URL=mqtt://127.0.0.1:1\n`)
  const server = runProgram(t, 'src/server.ts', { cwd, env: { PORT: '0' } })
  await server.says('cannot reach the broker')
  t.notOk(server.output.stdout.includes('messenger (demo)'))
  t.notOk(server.output.stdout.includes('Server listening'), 'LOG_LEVEL is taken from .env')
})

t.test('does not start in production without a broker and a key, and says so in one message', async t => {
  const server = runProgram(t, 'src/server.ts', { env: { NODE_ENV: 'production', PORT: 'http', MQTT_TOPIC: 'devices/#' } })
  t.equal((await server.exit()).code, 1)
  t.equal(server.output.stdout, '')
  t.equal(server.output.stderr, [
    'The configuration has 4 faults:',
    '  - PORT must be a whole number',
    '  - MQTT_URL is required in production: there is no embedded broker',
    '  - JWT_SECRET or one of JWT_PUBLIC_KEY, JWT_JWKS_URL and OIDC_ISSUER is required in production: there is no demo secret',
    '  - MQTT_TOPIC has no {imei}: every device would get every command',
    ''
  ].join('\n'))
})

t.test('does not start where another program listens, and says what to do', async t => {
  const port = String(await freePort())
  const cwd = createFolder(t)
  const first = runProgram(t, 'src/server.ts', { cwd, env: { PORT: port } })
  await first.says('Another token')
  const kept = readFileSync(join(cwd, '.messenger/demo.json'), 'utf8')
  const second = runProgram(t, 'src/server.ts', { cwd, env: { PORT: port } })
  t.equal((await second.exit()).code, 1)
  t.equal(readFileSync(join(cwd, '.messenger/demo.json'), 'utf8'), kept, 'devices still find the first')
  t.match(second.output.stderr, `address already in use 127.0.0.1:${port}\nAnother program listens there: set PORT to a free port.\n`)
})

/** What a server prints that does not start. */
async function refusal (t: Test, options: ProgramOptions): Promise<string> {
  const server = runProgram(t, 'src/server.ts', options)
  t.equal((await server.exit()).code, 1)
  t.equal(server.output.stdout.includes('Another token'), false)
  return server.output.stderr
}

t.test('does not start where .env cannot be read', async t => {
  const cwd = createFolder(t)
  mkdirSync(join(cwd, '.env'))
  t.equal(await refusal(t, { cwd }), 'The configuration has a fault:\n  - .env cannot be read (EISDIR)\n')
})

t.test('does not start, and leaves nothing running, where the demo cannot keep its secret', async t => {
  const cwd = createFolder(t)
  writeFileSync(join(cwd, '.messenger'), 'a file is in the way')
  t.equal(await refusal(t, { cwd }), 'The configuration has a fault:\n' +
    '  - .messenger must be a folder that can be written to (EEXIST), or MQTT_URL and JWT_SECRET or JWT_PUBLIC_KEY must be set\n')
})

t.test('does not start where HOST is no address, and says so', async t => {
  const env = { PORT: '0', MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET }
  const hint = 'set HOST to an address of this machine.\n'
  t.ok((await refusal(t, { env: { ...env, HOST: 'nosuch.invalid' } })).endsWith(hint))
  t.equal(await refusal(t, { env: { ...env, HOST: '192.0.2.1' } }),
    'Error: listen EADDRNOTAVAIL: address not available 192.0.2.1\nThis machine has no such address: set HOST to one it has.\n')
  // A link-local address without its link: nobody thought of that, so all there is to know is shown.
  t.match(await refusal(t, { env: { ...env, HOST: 'fe80::1' } }), /^Error: listen \w+[\s\S]+\n {4}at [\s\S]+syscall: 'listen'/)
})

t.test('stops and exits 1 after an error nobody caught', async t => {
  const server = runProgram(t, 'src/server.ts', {
    env: { PORT: '0' },
    before: 'process.once("SIGUSR2", () => { throw new Error("nobody caught this") })'
  })
  await server.says('Another token')
  server.kill('SIGUSR2')
  t.equal((await server.exit()).code, 1)
  t.match(server.output.stdout, /stopping after an error/)
})

t.test('exits 1 after an error nobody caught, also where it is then asked to stop', async t => {
  const server = runProgram(t, 'src/server.ts', {
    env: { PORT: '0', MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET },
    before: `process.once("SIGUSR2", () => {
      setImmediate(() => { process.kill(process.pid, "SIGTERM") })
      throw new Error("nobody caught this")
    })`
  })
  await server.says('Server listening')
  server.kill('SIGUSR2')
  t.equal((await server.exit()).code, 1)
  t.equal(server.output.stdout.match(/"stopping/g)?.length, 1, 'it stops once')
})

t.test('ends at once where it crashes, and does not spin', async t => {
  for (const signal of ['SIGSEGV', 'SIGABRT'] as const) {
    const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET } })
    await server.says('Server listening')
    server.kill(signal)
    t.strictSame(await server.exit(), { code: null, signal })
  }
})
