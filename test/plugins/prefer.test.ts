import t from 'tap'
import { readWait } from '../../src/plugins/prefer.js'
import { send, startConnectedApp } from '../helpers/app.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'

t.test('reads how long to wait, as RFC 7240 has it', async t => {
  const seconds = {
    'wait=1': 1,
    'wait=60': 60,
    'wait=61': 60,
    'wait=99999999999999999999999': 60,
    'wait=010': 10,
    'WAIT=10': 10,
    ' wait = 10 ': 10,
    'wait="10"': 10,
    'wait=10; strict': 10,
    'wait=10;a="b;c"': 10,
    'respond-async, wait=10': 10,
    'respond-async,wait=10,handling=lenient': 10,
    'foo="a, wait=5", wait=10': 10,
    'foo="a\\", wait=5", wait=10': 10,
    'waiting=5, wait=10': 10,
    'wait=10, wait=20': 10,
    ',, wait=10': 10
  }
  for (const [header, expected] of Object.entries(seconds)) t.equal(readWait(header), expected, header)
})

t.test('ignores what cannot be understood, or is under a second', async t => {
  for (const header of [
    '', 'wait', 'wait=', 'wait=0', 'wait=-1', 'wait=1.5', 'wait=1e1', 'wait=ten', 'wait=10s', 'wait=""', 'wait="ten"', 'wait="10', 'wait 10', 'await=10',
    'foo=wait=10', 'foo="wait=10"', 'foo; wait=10', 'wait=ten, wait=10', 'wait;wait=10'
  ]) t.equal(readWait(header), undefined, header)
})

t.test('reads a header of quotes and backslashes once, not again and again', async t => {
  for (const piece of ['"', '\\', '"\\', '\\"', ',"']) {
    const startedMs = performance.now()
    t.equal(readWait(piece.repeat(16_000 / piece.length)), undefined)
    t.ok(performance.now() - startedMs < 500, piece)
  }
})

t.test('takes what stands in several headers together', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x10) } })
  const app = await startConnectedApp(t, broker.url)
  t.equal((await send(app, undefined, { prefer: 'respond-async, wait=7' })).headers['preference-applied'], 'wait=7')
})

t.test('sends as ever, and says that nothing was applied, where the preference is ignored', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const app = await startConnectedApp(t, broker.url)
  for (const prefer of ['wait=0', 'wait=ten', 'respond-async']) {
    const { statusCode, headers } = await send(app, undefined, { prefer })
    t.strictSame([statusCode, headers['preference-applied']], [200, undefined])
  }
  t.strictSame(broker.connections[0]?.subscribed, [])
  t.equal(broker.published.at(-1)?.properties?.responseTopic, undefined)
})

t.test('ignores the preference over MQTT 3.1.1 with text payloads, by which no device could be told where to answer', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const lines: string[] = []
  const app = await startConnectedApp(t, broker.url, { MQTT_PROTOCOL: '3.1.1' }, {
    logger: { level: 'warn', stream: { write (line: string) { lines.push(JSON.parse(line).msg) } } }
  })
  const { statusCode, headers } = await send(app, undefined, { prefer: 'wait=5' })
  t.strictSame([statusCode, headers['preference-applied']], [200, undefined])
  t.ok(lines.includes('MQTT 3.1.1: Prefer: wait is ignored, as it needs MQTT_PAYLOAD=json'))
})
