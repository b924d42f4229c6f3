import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { IMEI } from '../helpers/app.js'
import { REPLY_PREFIX, startCaller } from '../helpers/caller.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { createFolder } from '../helpers/program.js'
import { runPython, skipWithoutPaho } from '../helpers/python.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

const skip = skipWithoutPaho || skipWithoutMosquitto
const DEVICE = 'examples/devices/python/device.py'
const REPLY_TOPIC = `${REPLY_PREFIX}/${IMEI}`
const RESULT = { ok: true, micro_op: 'push_down' }

async function startDevice (t: Test, port: number, ...args: string[]) {
  const device = runPython(t, DEVICE, [IMEI, '--port', String(port), ...args])
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

for (const protocol of ['5', '3.1.1']) {
  t.test(`says over MQTT ${protocol} that the broker refuses the subscription`, { skip: skipWithoutPaho }, async t => {
    const broker = await startScriptedBroker(t, { subackCode: protocol === '5' ? 0x87 : 0x80 })
    const device = runPython(t, DEVICE, [IMEI, '--port', new URL(broker.url).port, '--protocol', protocol])
    await device.says(`the broker refuses the subscription to devices/${IMEI}/commands`)
    t.equal(device.lines.length, 1)
  })
}

t.test('says that there is no broker, that it has lost one, and finds it again by itself', { skip }, async t => {
  const port = await freePort()
  const device = runPython(t, DEVICE, [IMEI, '--port', String(port)])
  await device.says(`not connected: no broker at 127.0.0.1:${port}, or none that is trusted`)
  const broker = await startMosquitto(t, { port })
  await device.says('waiting for commands')
  await broker.stop('SIGKILL')
  await device.says('the connection is lost: ')
  await broker.start()
  await until(() => device.lines.filter(line => line.startsWith('waiting for commands')).length === 2, () => device.lines.join('\n'), 20_000)
})

t.test('answers that a command has failed', { skip }, async t => {
  const program = join(createFolder(t), 'device.py')
  const source = readFileSync(DEVICE, 'utf8')
  writeFileSync(program, source.replace('    print(f"executing {micro_op}", flush=True)\n', '    raise RuntimeError("the gate is blocked")\n'))
  const broker = await startMosquitto(t)
  const caller = await startCaller(t, broker.url)
  const device = runPython(t, program, [IMEI, '--port', String(broker.port)])
  await device.says('waiting for commands')
  const id = await caller.sendText(IMEI, 'push_down')
  t.strictSame(await caller.answers(1), [[REPLY_TOPIC, id, { ok: false, error: 'the gate is blocked' }]])
  t.ok(device.lines.includes('push_down failed: RuntimeError(\'the gate is blocked\')'))
})
