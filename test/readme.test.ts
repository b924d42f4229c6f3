import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Env } from '../src/config/env.js'
import { readShellBlocks } from './helpers/markdown.js'
import { copyProject, createTranslator, paste, skipWithout } from './helpers/shell.js'

const README = readFileSync('README.md', 'utf8')
const OK_BODY = '{"detail":"Send `push_down` to topic `devices/26372637216372637126376237/commands`"}'

const blocks = readShellBlocks(README)
const [TRY, DEVICE, SEND, PORT_80, CLIENTS, RETRY, MOSQUITTO, REAL, SUBSCRIBE, SEND_REAL, TEST] = blocks

t.test('has the commands that these tests run, and no others', async t => {
  t.equal(blocks.length, 11)
  t.equal(TEST, 'npm ci && npm test\n', 'run by .ci/run')
  t.match(CLIENTS, /^npm run -s clients:postman /, 'run by clients/*.test.ts')
  const inline = [...README.matchAll(/`(npm [^`]+)`/g)].map(match => match[1])
  t.strictSame(inline, [
    'npm run -s token -- --sub gate-7 --scope messaging:send --expires-in 60 --claim tenant=acme',
    'npm run -s token', 'npm run -s token', 'npm run faults', 'npm run fuzz', 'npm run brokers', 'npm run lint', 'npm run typecheck', 'npm run bench'
  ])
})

t.test('leads from a clean copy to a device that gets a command', { skip: skipWithout('curl') }, async t => {
  const cwd = copyProject(t)
  const translate = await createTranslator()
  const server = paste(t, translate(TRY), cwd)
  await server.says('Another token')
  const device = paste(t, translate(DEVICE), cwd)
  await device.says('waiting for commands')
  const curl = paste(t, translate(SEND), cwd)
  t.equal(await curl.exit(), 0)
  t.equal(curl.output.stdout, OK_BODY)
  t.ok(README.includes(`\`\`\`json\n${OK_BODY}\n\`\`\``))
  await device.says('devices/26372637216372637126376237/commands push_down')

  const retry = paste(t, translate(RETRY), cwd)
  t.equal(await retry.exit(), 0)
  const answers = retry.output.stdout.split(/(?=HTTP\/1\.1)/)
  t.equal(answers.length, 2)
  t.ok(answers.every(answer => answer.startsWith('HTTP/1.1 200 OK') && answer.endsWith(OK_BODY)))
  t.strictSame(answers.map(answer => /^idempotency-replayed: true\r$/m.test(answer)), [false, true])
  t.equal(device.output.stdout.match(/push_down/g)?.length, 2, 'one without a key, one for both with the key')

  const other = paste(t, 'npm run -s token -- --sub gate-7 --scope messaging:send --expires-in 60 --claim tenant=acme', cwd)
  t.equal(await other.exit(), 0)
  const { sub, scope, tenant } = JSON.parse(Buffer.from(other.output.stdout.split('.')[1] ?? '', 'base64url').toString())
  t.strictSame([sub, scope, tenant], ['gate-7', 'messaging:send', 'acme'])
})

t.test('leads to a server of production on a Mosquitto', { skip: skipWithout('curl', 'mosquitto', 'mosquitto_sub', 'openssl') }, async t => {
  const cwd = copyProject(t)
  const translate = await createTranslator()
  const broker = paste(t, translate(MOSQUITTO), cwd)
  await broker.says('running')
  const server = paste(t, translate(REAL), cwd)
  await server.says('connected to the broker')
  const device = paste(t, translate(SUBSCRIBE), cwd)
  let curl = paste(t, translate(SEND_REAL), cwd)
  t.equal(await curl.exit(), 0)
  t.equal(curl.output.stdout, OK_BODY)
  // mosquitto_sub does not say when it is subscribed: send until it has something to show.
  while (device.output.stdout === '') {
    curl = paste(t, translate(SEND_REAL), cwd)
    await curl.exit()
  }
  t.match(device.output.stdout, /^devices\/26372637216372637126376237\/commands push_down\n/)
  server.kill('SIGTERM')
  t.equal(await server.exit(), 0)
})

t.test('leads to the address without a port', { skip: skipWithout('curl') || await skipWithoutPort80() }, async t => {
  const cwd = copyProject(t)
  const server = paste(t, PORT_80 ?? '', cwd)
  await server.says('Another token')
  const curl = paste(t, (SEND ?? '').replace(':3000', ''), cwd)
  t.equal(await curl.exit(), 0)
  t.equal(curl.output.stdout, OK_BODY)
})

t.test('has the configuration table of the schema', async (t: Test) => {
  const rows = Object.entries(Env.properties).map(([name, schema]) => {
    const { default: value, description } = schema
    return `| \`${name}\` | ${value === undefined ? '' : `\`${value}\``} | ${description} |`
  })
  const [, table] = /\| variable \| default \| meaning \|\n\|---\|---\|---\|\n((?:\|.*\n)*)/.exec(README) ?? []
  t.equal(table, `${rows.join('\n')}\n`)
})

/** Whether this machine and user cannot listen on port 80. */
async function skipWithoutPort80 (): Promise<string | false> {
  const server = createServer().listen(80, '127.0.0.1')
  try {
    await once(server, 'listening')
    return false
  } catch {
    return 'port 80 cannot be listened on here'
  } finally {
    server.close()
  }
}
