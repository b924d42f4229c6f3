import t, { type Test } from 'tap'
import { IMEI } from '../helpers/app.js'
import { REPLY_PREFIX, startCaller } from '../helpers/caller.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { runPython, skipWithoutPaho } from '../helpers/python.js'

const skip = skipWithoutPaho || skipWithoutMosquitto
const REPLY_TOPIC = `${REPLY_PREFIX}/${IMEI}`
const RESULT = { ok: true, micro_op: 'push_down' }

async function startDevice (t: Test, port: number, ...args: string[]) {
  const device = runPython(t, 'examples/devices/python/device.py', [IMEI, '--port', String(port), ...args])
  await device.says(`waiting for commands on devices/${IMEI}/commands`)
  return device
}

t.test('answers with the Correlation Data of the command over MQTT 5', { skip }, async t => {
  const broker = await startMosquitto(t)
  const caller = await startCaller(t, broker.url)
  await startDevice(t, broker.port)
  const id = await caller.sendText(IMEI, 'push_down')
  t.strictSame(await caller.answers(1), [[REPLY_TOPIC, id, RESULT]])
})

t.test('answers with the id of the command over MQTT 3.1.1', { skip }, async t => {
  const broker = await startMosquitto(t)
  const caller = await startCaller(t, broker.url)
  await startDevice(t, broker.port, '--protocol', '3.1.1')
  const id = await caller.sendJson(IMEI, 'push_down')
  t.strictSame(await caller.answers(1), [[REPLY_TOPIC, undefined, { id, result: RESULT }]])
})

t.test('executes a command once, none that is late, and goes on after what it does not understand', { skip }, async t => {
  const broker = await startMosquitto(t)
  const caller = await startCaller(t, broker.url)
  const device = await startDevice(t, broker.port)
  const id = await caller.sendText(IMEI, 'push_down')
  await caller.sendText(IMEI, 'push_down', id)
  const nowS = Math.floor(Date.now() / 1000)
  await caller.sendJson(IMEI, 'pull_up', { expires_at: nowS - 1 })
  await caller.client.publishAsync(`devices/${IMEI}/commands`, Buffer.from([0xFF, 0xFE]), { qos: 1 })
  await caller.client.publishAsync(`devices/${IMEI}/commands`, 'nobody_waits', { qos: 1 })
  const last = await caller.sendJson(IMEI, 'last')
  t.strictSame(await caller.answers(2), [
    [REPLY_TOPIC, id, RESULT],
    [REPLY_TOPIC, undefined, { id: last, result: { ok: true, micro_op: 'last' } }]
  ])
  const [, ...lines] = device.lines
  t.strictSame(lines.map(line => line.replace(/UnicodeDecodeError.*/, 'UnicodeDecodeError')), [
    'executing push_down',
    'dropped push_down: it came before',
    'dropped pull_up: it came too late',
    'dropped a message that is not understood: UnicodeDecodeError',
    'executing nobody_waits',
    'executing last'
  ])
})

for (const protocol of ['5', '3.1.1']) {
  t.test(`gets over MQTT ${protocol} what came while it was away, and ends when it is told to`, { skip }, async t => {
    const broker = await startMosquitto(t)
    const caller = await startCaller(t, broker.url)
    const device = await startDevice(t, broker.port, '--protocol', protocol)
    device.kill('SIGTERM')
    t.equal(await device.exit(), 0)
    const id = await caller.sendJson(IMEI, 'push_down')
    await startDevice(t, broker.port, '--protocol', protocol)
    t.strictSame(await caller.answers(1), [[REPLY_TOPIC, undefined, { id, result: RESULT }]])
  })
}
