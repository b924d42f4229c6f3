import t from 'tap'
import { IMEI } from '../../helpers/app.js'
import { startBroker } from '../../helpers/broker.js'
import { REPLY_PREFIX, startCaller } from '../../helpers/caller.js'
import { runProgram } from '../../helpers/program.js'
import { startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const FILE = 'src/cli/device.ts'
const WAITING = 'waiting for commands on'

t.test('answers as one device what it is told to, and says what it does not execute', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const device = runProgram(t, FILE, { args: [IMEI, '--protocol', '3.1.1', '--reply', 'opened by {imei}'], env: { MQTT_URL: url } })
  await until(() => device.output.stderr.includes(WAITING), 'the subscription', 20_000)
  const id = await caller.sendJson(IMEI, 'open')
  t.strictSame(await caller.answers(1), [[`${REPLY_PREFIX}/${IMEI}`, undefined, { id, result: `opened by ${IMEI}` }]])
  await caller.sendJson(IMEI, 'open', { id })
  await until(() => device.output.stderr.includes('duplicate'), 'the duplicate')
  t.match(device.output.stderr, /^\S+Z devices\/\S+\/commands \{.*\} \(duplicate: not executed\)$/m)
  t.match(device.output.stdout, /^\S+Z devices\/\S+\/commands \{.*\}\n$/)
  device.kill('SIGINT')
  t.strictSame(await device.exit(), { code: 0, signal: null })
})

t.test('counts as many devices what each of them got, and prints the sum when it ends', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const device = runProgram(t, FILE, { args: ['sim', '--count', '60', '--reply-delay', '5-20'], env: { MQTT_URL: url } })
  await until(() => device.output.stderr.includes(`${WAITING} devices/sim-01/commands and 59 more (Ctrl-C ends)\n`), 'the subscriptions', 20_000)
  for (let n = 1; n <= 60; n += 1) await caller.sendText(`sim-${String(n).padStart(2, '0')}`, 'push_down', `id-${n}`)
  await caller.sendText('sim-01', 'push_down', 'id-1')
  const answers = await caller.answers(60)
  for (const [topic, , { imei }] of answers) t.equal(topic, `${REPLY_PREFIX}/${imei}`)
  t.equal(new Set(answers.map(([, correlation]) => correlation)).size, 60)
  // In its own time: a line every five seconds.
  await until(() => device.output.stderr.includes('60 replies'), 'the line of what was done', 20_000)
  device.kill('SIGTERM')
  t.strictSame(await device.exit(), { code: 0, signal: null })
  t.match(device.output.stderr, /^60\/60 connected, 60 commands \(and 1 duplicates, 0 late\), 60 replies \(and 0 lost\), \d+ commands\/s$/m)
  t.match(device.output.stderr, /\n60\/60 connected, 60 commands \(and 1 duplicates, 0 late\), 60 replies \(and 0 lost\)\n$/)
  t.equal(device.output.stdout, '')
})

t.test('prints the commands of many devices where it is told to', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const device = runProgram(t, FILE, { args: ['sim', '--count', '2', '--print', '--reply-rate', '0'], env: { MQTT_URL: url } })
  await until(() => device.output.stderr.includes(WAITING), 'the subscriptions', 20_000)
  await caller.sendText('sim-2', 'push_down')
  await device.says('devices/sim-2/commands push_down')
  t.strictSame(caller.replies, [])
})

t.test('prints how it is used, and connects nowhere', async t => {
  const device = runProgram(t, FILE, { args: ['--help'] })
  t.strictSame(await device.exit(), { code: 0, signal: null })
  t.match(device.output.stdout, /^Usage: npm run -s device -- <imei> \[options\]\n/)
  t.equal(device.output.stderr, '')
})

t.test('ends also where the broker does not close the connection', async t => {
  const broker = await startScriptedBroker(t, { onDisconnect () {} })
  const device = runProgram(t, FILE, { args: ['1'], env: { MQTT_URL: broker.url } })
  await until(() => device.output.stderr.includes(WAITING), 'the subscription', 20_000)
  device.kill('SIGTERM')
  t.equal((await device.exit()).code, 0)
})
