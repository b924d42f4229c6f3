import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { EXAMPLE, IMEI, SECRET, token } from '../helpers/app.js'
import { createCertificates, skipWithoutOpenssl } from '../helpers/certificates.js'
import { withoutTap } from '../helpers/coverage.js'
import { startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { createFolder } from '../helpers/program.js'
import { scrape } from '../helpers/scrape.js'
import { copyFiles, paste, shellEnv, skipWithout } from '../helpers/shell.js'
import { subscribe } from '../helpers/subscriber.js'

const skip = skipWithoutOpenssl || skipWithout('mosquitto', 'mosquitto_passwd')
const OTHER = '26372637216372637126376238'
const PASSWORDS = new Map([['messenger', 'of the messenger'], [IMEI, 'of the device'], [OTHER, 'of the other device']])
const run = promisify(execFile)

/** What a production machine has: the files of a clone, built, and the packages of production, installed from the lock file. */
async function install (t: Test): Promise<string> {
  const cwd = copyFiles(t)
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Readonly<Record<string, { readonly dev?: boolean }>> }
  await run(...withoutTap('npm', ['ci', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund']), { cwd, env: shellEnv })
  const ofDevelopment = Object.keys(packages).filter(path => packages[path]?.dev === true)
  for (const name of ['aedes', 'pino-pretty', 'tap', 'typescript']) t.ok(ofDevelopment.includes(`node_modules/${name}`), name)
  t.strictSame(ofDevelopment.filter(path => existsSync(join(cwd, path))), [], 'no package of development')
  await run(...withoutTap(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', join(cwd, 'dist')]), { env: shellEnv })
  return cwd
}

/** A Mosquitto with TLS only, with a user for the messenger and one for each device, and the access control of the sample. */
async function startSecuredBroker (t: Test) {
  const certificates = createCertificates(t)
  const passwords = join(createFolder(t), 'passwords')
  for (const [user, password] of PASSWORDS) execFileSync('mosquitto_passwd', [...existsSync(passwords) ? [] : ['-c'], '-b', passwords, user, password])
  const { port } = await startMosquitto(t, {
    listener: [`cafile ${certificates.path('ca.crt')}`, `certfile ${certificates.path('server.crt')}`, `keyfile ${certificates.path('server.key')}`],
    config: ['allow_anonymous false', 'password_file {dir}/passwords', 'acl_file {dir}/acl_file'],
    files: { passwords: readFileSync(passwords, 'utf8'), acl_file: readFileSync('deploy/mosquitto/acl_file', 'utf8') }
  })
  const url = `mqtts://127.0.0.1:${port}`
  return {
    url,
    caFile: certificates.path('ca.crt'),
    /** A device, under its own name, at the topic it is told. */
    device: (username: string, filter: string) => subscribe(t, url, filter, { username, password: PASSWORDS.get(username) ?? '', ca: certificates.read('ca.crt') })
  }
}

t.test('runs in production: from the lock file, over TLS, with a password and access control, until SIGTERM', { skip }, async t => {
  const cwd = await install(t)
  const broker = await startSecuredBroker(t)
  const [port, metricsPort] = [await freePort(), await freePort()]
  const settings = {
    PORT: port,
    METRICS_PORT: metricsPort,
    MQTT_URL: broker.url,
    MQTT_CA_FILE: broker.caFile,
    MQTT_USERNAME: 'messenger',
    MQTT_PASSWORD: PASSWORDS.get('messenger'),
    JWT_SECRET: SECRET,
    JWT_SCOPE: 'messaging:send',
    DRAIN_DELAY_MS: 100
  }
  writeFileSync(join(cwd, '.env'), Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`).join(''))
  const server = paste(t, 'NODE_ENV=production exec node dist/server.js', cwd)
  await server.says('connected to the broker')

  const device = await broker.device(IMEI, `devices/${IMEI}/commands`)
  // Mosquitto grants the subscription: what counts is that nothing comes.
  const other = await broker.device(OTHER, '#')
  const send = async (imei: string, authorization: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/messaging/send`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ ...EXAMPLE, imei })
    })
    return `${response.status} ${await response.text()}`
  }
  const authorization = `Bearer ${await token({ scope: 'messaging:send' })}`
  t.equal(await send(IMEI, authorization), `200 {"detail":"Send \`push_down\` to topic \`devices/${IMEI}/commands\`"}`)
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])
  t.match(await send(IMEI, `Bearer ${await token()}`), /^403 /)
  // Behind what it may not have comes what it may.
  t.match(await send(OTHER, authorization), /^200 /)
  await other.count(1)
  t.strictSame(other.received.map(packet => packet.topic), [`devices/${OTHER}/commands`])

  t.equal((await fetch(`http://127.0.0.1:${port}/health/ready`, { headers: { connection: 'close' } })).status, 200)
  t.strictSame((await scrape(metricsPort)).commands, { 'accepted/': 2 })

  server.kill('SIGTERM')
  t.equal(await server.exit(), 0)
  const lines = server.output.stdout.trim().split('\n').map(line => JSON.parse(line) as { level: number, msg: string })
  t.strictSame(lines.filter(({ level }) => level >= 40).map(({ msg }) => msg), [], 'warns of nothing')
  t.equal(server.output.all, server.output.stdout, 'and says nothing beside its log')
  for (const secret of [SECRET, 'of the messenger', authorization]) t.notOk(server.output.all.includes(secret))
  t.equal(existsSync(join(cwd, '.messenger')), false, 'no demo')
})
