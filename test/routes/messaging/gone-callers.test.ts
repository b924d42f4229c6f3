import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { IMEI, send, sendBulk, startConnectedApp } from '../../helpers/app.js'
import { createLog } from '../../helpers/log.js'
import { listen, openRaw, writeOut } from '../../helpers/raw-http.js'
import { skipWithoutRedis, startRedis } from '../../helpers/redis.js'
import { acknowledging, startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const COMMAND = { imei: IMEI, micro_op: 'push_down' }
const KEY = { 'idempotency-key': 'k' }

/** Sends its input to a port, and has gone when it ends. */
const CALLER = `
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1')
socket.end(require('node:fs').readFileSync(0), () => process.exit())
`

/** A caller that sends and goes while the server stands still: this process does until the other one has ended. */
function sendAndGo (port: number, request: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['-e', CALLER, String(port)], { input: request, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the caller failed: ${stderr}`)
}

/** A server that is connected to its broker and, where it has one, to its Redis. */
async function setUp (t: Test, env: Readonly<Record<string, string>> = {}) {
  const broker = await startScriptedBroker(t, acknowledging)
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, env, log)
  if (app.redis !== undefined) await until(() => app.redis?.status === 'ready', 'the connection to Redis')
  return { broker, log, app, port: await listen(t, app) }
}

/** A command whose caller had gone before it could be published is not, and a repeat with its key is. */
async function checkSend (t: Test, { broker, log, app, port }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  sendAndGo(port, await writeOut(KEY))
  await until(() => log.answered().length === 1, 'the line of the request')
  t.match(log.answered(), [{ status: 499, outcome: 'refused', reason: 'caller_gone' }])
  t.equal(broker.published.length, 0)
  const repeat = await send(app, COMMAND, KEY)
  t.strictSame([repeat.statusCode, repeat.headers['idempotency-replayed']], [200, undefined])
  t.equal(broker.published.length, 1)
}

t.test('publishes nothing for a key whose caller has gone by then, and frees the key', async t => {
  await checkSend(t, await setUp(t))
})

t.test('the same over Redis', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  await checkSend(t, await setUp(t, { REDIS_URL: redis.url }))
})

t.test('publishes none of many commands for a key whose caller has gone by then', async t => {
  const { broker, log, app, port } = await setUp(t)
  const request = await writeOut(KEY, { commands: [COMMAND, { ...COMMAND, imei: '' }] })
  sendAndGo(port, request.replace('/send ', '/send/bulk '))
  await until(() => log.answered().length === 1, 'the line of the request')
  t.match(log.answered().at(-1), { status: 499, commands: { refused: 2 } })
  t.equal(broker.published.length, 0)
  const repeat = await sendBulk(app, [COMMAND, { ...COMMAND, imei: '' }], KEY)
  t.strictSame(repeat.json().results.map(({ status }: { status: number }) => status), [200, 400])
  t.equal(repeat.headers['idempotency-replayed'], undefined)
})

t.test('publishes without a key whatever arrived whole: nobody can ask for it again', async t => {
  const { broker, log, port } = await setUp(t)
  sendAndGo(port, await writeOut())
  await until(() => log.answered().length === 1, 'the line of the request')
  t.match(log.answered(), [{ status: 200, outcome: 'accepted' }])
  t.equal(broker.published.length, 1)
})

t.test('publishes for a key where it is the server that ends the connection, for what follows the request', async t => {
  const { broker, log, app, port } = await setUp(t)
  const caller = await openRaw(t, port)
  caller.write(`${await writeOut(KEY)}\0`)
  await caller.ended()
  await until(() => log.answered().length === 1, 'the line of the request')
  t.match(log.answered(), [{ outcome: 'accepted' }])
  t.equal(broker.published.length, 1)
  t.equal((await send(app, COMMAND, KEY)).headers['idempotency-replayed'], 'true')
})
