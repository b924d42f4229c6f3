import t from 'tap'
import { post, send, sendBulk, startConnectedApp, token } from '../../helpers/app.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { listen, openRaw, writeOut } from '../../helpers/raw-http.js'
import { skipWithoutRedis, startRedis } from '../../helpers/redis.js'
import { acknowledging, startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const key = { 'idempotency-key': 'k' }
const commandsFor = (count: number) => Array.from({ length: count }, (_, n) => ({ imei: `d${n}`, micro_op: `op_${n}` }))

type Answer = Awaited<ReturnType<typeof sendBulk>>
const statusesOf = (answer: Answer) => answer.json().results.map(({ status }: { status: number }) => status)
const told = (answer: Answer) => [answer.statusCode, answer.headers['idempotency-replayed'], statusesOf(answer)]

t.test('records the whole answer, 406 items included, and publishes nothing for a repeat', async t => {
  const broker = await startScriptedBroker(t)
  broker.script.onPublish = ({ messageId, topic }, connection) => { connection.puback(messageId, topic === 'devices/d1/commands' ? 0x97 : 0) }
  const app = await startConnectedApp(t, broker.url)
  const commands = [...commandsFor(3), { imei: 'd3' }]
  const first = await sendBulk(app, commands, key)
  t.strictSame(told(first), [200, undefined, [200, 406, 200, 400]])
  broker.script.onPublish = acknowledging.onPublish
  const repeat = await sendBulk(app, commands, key)
  t.strictSame(told(repeat), [200, 'true', [200, 406, 200, 400]])
  t.equal(repeat.body, first.body)
  t.equal(repeat.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(broker.published.length, 3)

  const single = await send(app, commands[0], key)
  t.strictSame([single.statusCode, single.headers['idempotency-replayed']], [200, undefined], 'on another route it is another key')
  for (const other of [commands.slice(1), commands.toReversed(), [...commands, commands[0]]]) {
    const refused = await sendBulk(app, other, key)
    t.strictSame([refused.statusCode, refused.json().code], [422, 'idempotency_key_reused'])
  }
  t.equal(broker.published.length, 4)
})

t.test('records also where every command is 406', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x97) } })
  const app = await startConnectedApp(t, broker.url)
  t.strictSame(told(await sendBulk(app, commandsFor(2), key)), [200, undefined, [406, 406]])
  t.strictSame(told(await sendBulk(app, commandsFor(2), key)), [200, 'true', [406, 406]])
  t.strictSame(told(await sendBulk(app, commandsFor(2), { 'idempotency-key': 'new' })), [200, undefined, [406, 406]])
  t.equal(broker.published.length, 4)
})

t.test('answers 422 to the same devices of another tenant, and to a token that allows other commands of them', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url, { MQTT_TOPIC: 'tenants/{claims.tenant}/devices/{imei}/commands' })
  const as = async (claims: object) => await sendBulk(app, commandsFor(2), { ...key, authorization: `Bearer ${await token({ ...claims })}` })
  t.strictSame(told(await as({ tenant: 'a' })), [200, undefined, [200, 200]])
  t.equal((await as({ tenant: 'b' })).json().code, 'idempotency_key_reused')
  t.equal((await as({ tenant: 'a', authorization_details: [{ type: 'messaging', identifier: 'd0' }] })).json().code, 'idempotency_key_reused')
  t.strictSame(told(await as({ tenant: 'a' })), [200, 'true', [200, 200]])
  t.equal(broker.published.length, 2)
})

t.test('counts the commands of a repeat in the limits, and gives the answer as it was recorded', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url, { RATE_LIMIT_CALLER: '3/1h' })
  t.strictSame(told(await sendBulk(app, commandsFor(2), key)), [200, undefined, [200, 200]])
  const repeat = await sendBulk(app, commandsFor(2), key)
  t.strictSame(told(repeat), [200, 'true', [200, 200]])
  t.equal(repeat.headers['ratelimit-remaining'], '0')
  t.strictSame(told(await sendBulk(app, commandsFor(2), { 'idempotency-key': 'new' })), [200, undefined, [429, 429]])
})

t.test('answers 409 while the first request with the key runs, and publishes and records all of it where its caller has gone', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 2 } })
  const app = await startConnectedApp(t, broker.url)
  const caller = await openRaw(t, await listen(t, app))
  const request = await writeOut(key, { commands: commandsFor(50) })
  caller.write(request.replace('/messaging/send', '/messaging/send/bulk'))
  await until(() => broker.published.length === 2, 'the first commands')
  t.equal((await sendBulk(app, commandsFor(50), key)).json().code, 'idempotency_key_in_use')
  caller.socket.destroy()
  broker.script.onPublish = acknowledging.onPublish
  for (const { messageId } of broker.published) broker.connections[0]?.puback(messageId)
  let repeat = await sendBulk(app, commandsFor(50), key)
  while (repeat.statusCode === 409) repeat = await sendBulk(app, commandsFor(50), key)
  t.strictSame(told(repeat), [200, 'true', Array(50).fill(200)])
  t.strictSame(broker.published.map(({ topic }) => topic), commandsFor(50).map(({ imei }) => `devices/${imei}/commands`))
})

t.test('makes of a recorded 504 what a late PUBACK says, before the answer and after it, and leaves the others', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 4 } })
  const app = await startConnectedApp(t, broker.url, {}, { clock })
  const acknowledge = (index: number, reasonCode = 0) => { broker.connections[0]?.puback(broker.published[index]?.messageId, reasonCode) }
  const first = sendBulk(app, commandsFor(4), key)
  await until(() => broker.published.length === 4, 'the commands')
  advance(5_000)
  t.strictSame(told(await first), [200, undefined, [504, 504, 504, 504]])
  const plain = sendBulk(app, [{ imei: 'plain', micro_op: 'a' }])
  acknowledge(0)
  acknowledge(1, 0x87)
  await until(() => broker.published.length === 5, 'a free slot')
  acknowledge(2)
  await until(() => app.mqtt.inFlight === 2, 'the late PUBACK')
  const repeat = await sendBulk(app, commandsFor(4), key)
  t.strictSame(told(repeat), [200, 'true', [200, 406, 200, 504]])
  t.strictSame(repeat.json().results[1], { imei: 'd1', status: 406, detail: 'Somthing went wrong' })
  advance(5_000)
  t.strictSame(statusesOf(await plain), [504], 'without a key')
  acknowledge(4)
  acknowledge(3)
  await until(() => app.mqtt.inFlight === 0, 'the last PUBACKs')
  t.strictSame(statusesOf(await sendBulk(app, commandsFor(4), key)), [200, 406, 200, 200])
  t.equal(broker.published.length, 5)
})

t.test('answers 200 for what was acknowledged late but before the answer, and records it', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 2 } })
  const app = await startConnectedApp(t, broker.url, {}, { clock })
  const acknowledge = (index: number) => { broker.connections[0]?.puback(broker.published[index]?.messageId) }
  const first = sendBulk(app, commandsFor(3), key)
  await until(() => broker.published.length === 2, 'the first two')
  advance(3000)
  acknowledge(1)
  await until(() => broker.published.length === 3, 'the third')
  advance(3000)
  t.equal(app.mqtt.inFlight, 2, 'the first is overdue and keeps its slot')
  acknowledge(0)
  acknowledge(2)
  t.strictSame(told(await first), [200, undefined, [200, 200, 200]])
  t.strictSame(told(await sendBulk(app, commandsFor(3), key)), [200, 'true', [200, 200, 200]])
})

t.test('bulk requests over Redis', { skip: skipWithoutRedis }, async t => {
  async function setUp (env: Readonly<Record<string, string>> = {}) {
    const redis = await startRedis(t)
    const broker = await startScriptedBroker(t)
    const start = async () => {
      const app = await startConnectedApp(t, broker.url, { REDIS_URL: redis.url, ...env })
      await until(() => app.redis?.status === 'ready', 'the connection to Redis')
      return app
    }
    return { redis, broker, apps: [await start(), await start()] as const }
  }

  t.test('replays in one process what another has answered', async t => {
    const { broker, apps: [one, other] } = await setUp()
    broker.script.onPublish = acknowledging.onPublish
    const first = await sendBulk(one, commandsFor(1000), key)
    t.strictSame(told(first), [200, undefined, Array(1000).fill(200)])
    const repeat = await sendBulk(other, commandsFor(1000), key)
    t.strictSame(told(repeat), [200, 'true', Array(1000).fill(200)])
    t.equal(repeat.body, first.body)
    t.equal(broker.published.length, 1000)
  })

  t.test('answers 504 for every command of a key whose process died, and never publishes again', async t => {
    const { redis, broker, apps: [one, other] } = await setUp()
    const first = sendBulk(one, [...commandsFor(2), {}], key)
    await until(() => broker.published.length === 2, 'the publishes')
    t.equal((await sendBulk(other, [...commandsFor(2), {}], key)).statusCode, 409)
    // The deadline of the claim has passed.
    const direct = redis.connect()
    const [record = ''] = await direct.keys('*')
    await direct.hset(record, 'deadline', 0)
    const lost = await sendBulk(other, [...commandsFor(2), {}], key)
    t.strictSame(told(lost), [200, undefined, [504, 504, 504]])
    t.strictSame(lost.json().results.map(({ imei, code }: { imei: string | null, code: string }) => [imei, code]), [
      ['d0', 'delivery_unknown'], ['d1', 'delivery_unknown'], [null, 'delivery_unknown']
    ])
    t.equal(broker.published.length, 2)
    for (const { messageId } of broker.published) broker.connections[0]?.puback(messageId)
    t.strictSame(told(await first), [200, undefined, [200, 200, 400]], 'that one had only been slow')
  })

  t.test('counts the commands of all processes together', async t => {
    const { broker, apps } = await setUp({ RATE_LIMIT_CALLER: '1500/1h', RATE_LIMIT_DEVICE: '1/1h' })
    broker.script.onPublish = acknowledging.onPublish
    const answers = []
    for (const [n, app] of apps.entries()) answers.push(await sendBulk(app, commandsFor(1000).map(({ imei }) => ({ imei: `${imei}-${n}`, micro_op: 'a' }))))
    const statuses = answers.flatMap(statusesOf)
    t.strictSame([200, 429].map(status => statuses.filter(one => one === status).length), [1500, 500])
    t.strictSame(statuses.slice(0, 1500), Array(1500).fill(200), 'the first of them')
  })
})

t.test('holds no key for commands that are all refused, and counts of the others none that is', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url, { IDEMPOTENCY_MAX_RECORDS: '2' })
  const authorization = `Bearer ${await token({ authorization_details: [{ type: 'messaging', identifier: 'd0' }] })}`
  const forbidden = [{ imei: 'd1', micro_op: 'up' }, {}, {}]
  for (let n = 0; n < 3; n += 1) {
    t.strictSame(told(await sendBulk(app, forbidden, { 'idempotency-key': `all ${n}`.replace(' ', '-'), authorization })), [200, undefined, [403, 400, 400]])
  }
  t.strictSame(told(await sendBulk(app, [...commandsFor(1), ...forbidden], { ...key, authorization })), [200, undefined, [200, 403, 400, 400]])
  t.strictSame(told(await sendBulk(app, [...commandsFor(1), ...forbidden], { ...key, authorization })), [200, 'true', [200, 403, 400, 400]])
  t.equal((await send(app, commandsFor(1)[0], key)).statusCode, 200)
  t.equal(broker.published.length, 2)
})

t.test('sends the others where one is too deep to be compared, and tells it from another', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url)
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const bodyWith = (bad: string) => `{"commands":[{"imei":"d0","micro_op":"up"},${bad}]}`
  const sendText = async (text: string) => await post(app, '/messaging/send/bulk', text, { ...key, 'content-type': 'application/json' })
  t.strictSame(told(await sendText(bodyWith(deep))), [200, undefined, [200, 400]])
  t.strictSame(told(await sendText(bodyWith(deep))), [200, 'true', [200, 400]])
  t.equal((await sendText(bodyWith('{"imei":"d1"}'))).json().code, 'idempotency_key_reused')
  t.equal((await sendText(bodyWith('{"imei":"d1","micro_op":"up"}'))).json().code, 'idempotency_key_reused')
  t.equal(broker.published.length, 1)
})
