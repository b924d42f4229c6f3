import t from 'tap'
import { post, send, sendBulk, startApp, startConnectedApp } from '../../helpers/app.js'
import { commandsFor } from '../../helpers/commands.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { createLog } from '../../helpers/log.js'
import { startMeasuredApp } from '../../helpers/measured-app.js'
import { acknowledging, startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const URL = '/messaging/send/bulk'

t.test('counts each command that is valid and allowed against the caller, and says what is left', async t => {
  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1', RATE_LIMIT_CALLER: '3/1h' })
  const first = await sendBulk(app, [{}, ...commandsFor(2)])
  t.strictSame([first.headers['ratelimit-limit'], first.headers['ratelimit-remaining']], ['3', '1'])
  const second = await sendBulk(app, commandsFor(2))
  t.strictSame(second.json().results.map(({ status, code }: { status: number, code?: string }) => [status, code]), [[406, undefined], [429, 'rate_limited']])
  t.strictSame([second.statusCode, second.headers['ratelimit-remaining']], [200, '0'])
  t.equal((await sendBulk(app, [{}])).headers['ratelimit-limit'], undefined, 'nothing was counted')
  t.equal((await send(app)).statusCode, 429, 'single ones count with them')
})

t.test('counts each command in the metrics', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 1 } })
  broker.script.onPublish = ({ messageId, topic }, connection) => { if (topic !== 'devices/d2/commands') connection.puback(messageId, topic === 'devices/d1/commands' ? 0x97 : 0) }
  const { app, scrape } = await startMeasuredApp(t, broker.url, {}, { clock })
  await app.mqtt.whenConnected()
  const answered = sendBulk(app, [{}, ...commandsFor(5)])
  await until(() => broker.published.length === 3, 'the one that is not acknowledged')
  advance(10_000)
  await answered
  t.strictSame((await scrape()).commands, { 'accepted/': 1, 'not_sent/no_slot': 2, 'not_sent/refused': 1, 'unknown/timed_out': 1 })
})

t.test('logs a line for each command and one for the request, also for what is refused', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, {}, { logger: log.logger })
  const line = { reqId: 'r', sub: 'tester' }
  const answered = { ...line, method: 'POST', path: URL, hasDuration: true }
  const [valid, bad] = [{ imei: '1', micro_op: 'a' }, { imei: '2' }]
  await sendBulk(app, [valid, bad, {}], { 'x-request-id': 'r', 'idempotency-key': 'k' })
  await sendBulk(app, [valid, bad, {}], { 'x-request-id': 'r', 'idempotency-key': 'k' })
  await sendBulk(app, [valid, bad], { 'x-request-id': 'r', 'idempotency-key': 'k' })
  await post(app, URL, {}, { 'x-request-id': 'r' })
  await until(() => log.answered().length === 4, 'the lines')
  const [publication] = broker.published
  const commandId = { ...publication?.properties?.userProperties }.id
  const told = { imei: '1', micro_op: 'a', topic: 'devices/1/commands' }
  const commands = log.lines.map(text => JSON.parse(text)).filter(({ msg }) => msg === 'command').map(({ level, time, pid, hostname, msg, ...rest }) => rest)
  t.strictSame(commands, [
    { ...line, index: 0, ...told, commandId, outcome: 'accepted' },
    { ...line, index: 1, imei: '2', outcome: 'refused', reason: 'invalid_body' },
    { ...line, index: 2, outcome: 'refused', reason: 'invalid_body' },
    { ...line, index: 0, ...told, outcome: 'replayed' },
    { ...line, index: 1, imei: '2', outcome: 'replayed' },
    { ...line, index: 2, outcome: 'replayed' },
    { ...line, index: 0, ...told, outcome: 'refused', reason: 'idempotency_key_reused' },
    { ...line, index: 1, imei: '2', outcome: 'refused', reason: 'invalid_body' }
  ])
  t.strictSame(log.answered(), [
    { ...answered, status: 200, commands: { accepted: 1, refused: 2 } },
    { ...answered, status: 200, commands: { replayed: 3 } },
    { ...answered, status: 422, reason: 'idempotency_key_reused', commands: { refused: 2 } },
    { ...answered, status: 400, outcome: 'refused', reason: 'invalid_body' }
  ])
})
