import t, { type Test } from 'tap'
import { EXAMPLE, send, startConnectedApp, TOPIC, type App } from '../../helpers/app.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { listen, openRaw, writeOut } from '../../helpers/raw-http.js'
import { skipWithoutRedis, startRedis } from '../../helpers/redis.js'
import { acknowledging, startScriptedBroker, type ScriptedBrokerOptions } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const REPLIED_BODY = `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`","reply":{"gate":"down"}}`
const KEY = { 'idempotency-key': 'k' }
const WAIT = { prefer: 'wait=10', ...KEY }

async function setUp (t: Test, script: ScriptedBrokerOptions = acknowledging, env: Readonly<Record<string, string>> = {}) {
  const broker = await startScriptedBroker(t, script)
  const { clock, advance } = createFakeClock()
  const app = await startConnectedApp(t, broker.url, env, { clock })
  t.teardown(() => { for (const { socket } of broker.connections) socket.destroy() })
  return { broker, advance, app, published: (count: number) => until(() => broker.published.length === count, `${count} publishes`) }
}

/** Repeats the request until its answer is another. */
async function repeatUntil (app: App, status: number, headers: Readonly<Record<string, string>> = WAIT) {
  for (;;) {
    const response = await send(app, EXAMPLE, headers)
    if (response.statusCode === status) return response
  }
}

t.test('repeats the recorded reply, and publishes nothing', async t => {
  const { broker, app, published } = await setUp(t)
  const first = send(app, EXAMPLE, WAIT)
  await published(1)
  t.equal((await send(app, EXAMPLE, WAIT)).statusCode, 409)
  broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
  t.equal((await first).body, REPLIED_BODY)
  for (const prefer of ['wait=10', 'wait=3']) {
    const { statusCode, body, headers } = await send(app, EXAMPLE, { ...KEY, prefer })
    t.strictSame([statusCode, body, headers['idempotency-replayed']], [200, REPLIED_BODY, 'true'])
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
    t.equal(headers['preference-applied'], undefined, 'nothing was waited for')
  }
  t.equal(broker.published.length, 1)
})

t.test('takes a request that waits for another than one that does not', async t => {
  const { broker, app, published } = await setUp(t)
  t.equal((await send(app, EXAMPLE, KEY)).statusCode, 200)
  t.equal((await send(app, EXAMPLE, WAIT)).statusCode, 422)
  t.equal((await send(app, EXAMPLE, { ...KEY, prefer: 'wait=0' })).headers['idempotency-replayed'], 'true', 'what is ignored makes no other request')
  const waiting = send(app, EXAMPLE, { ...WAIT, 'idempotency-key': 'other' })
  await published(2)
  broker.connections[0]?.reply(broker.published[1], '1')
  t.equal((await waiting).statusCode, 200)
  t.equal((await send(app, EXAMPLE, { 'idempotency-key': 'other' })).statusCode, 422)
  t.equal(broker.published.length, 2)
})

t.test('records a 404 no_subscriber', async t => {
  const { broker, app } = await setUp(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x10) } })
  const first = await send(app, EXAMPLE, WAIT)
  const second = await send(app, EXAMPLE, WAIT)
  t.strictSame([second.statusCode, second.body, second.headers['idempotency-replayed']], [404, first.body, 'true'])
  t.equal(second.headers['proxy-status'], 'messenger; details="no matching subscribers"')
  t.equal(second.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(broker.published.length, 1)
})

t.test('makes a recorded 404 no_subscriber a 200 where a reply comes all the same', async t => {
  const { broker, app } = await setUp(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x10) } })
  t.equal((await send(app, EXAMPLE, WAIT)).statusCode, 404)
  broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
  t.equal((await repeatUntil(app, 200)).body, REPLIED_BODY)
  t.equal(broker.published.length, 1)
})

t.test('makes a recorded reply_timeout a 200 where the reply comes late, and only the first', async t => {
  const { broker, advance, app, published } = await setUp(t)
  const first = send(app, EXAMPLE, WAIT)
  await published(1)
  await until(() => app.mqtt.inFlight === 0, 'the PUBACK')
  advance(10_000)
  t.equal((await first).json().code, 'reply_timeout')
  t.equal((await send(app, EXAMPLE, WAIT)).json().code, 'reply_timeout')
  broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
  broker.connections[0]?.reply(broker.published[0], '{"gate":"up"}')
  const replayed = await repeatUntil(app, 200)
  t.strictSame([replayed.body, replayed.headers['idempotency-replayed']], [REPLIED_BODY, 'true'])
  t.equal((await send(app, EXAMPLE, WAIT)).body, REPLIED_BODY)
  t.equal(broker.published.length, 1)
})

t.test('makes a recorded delivery_unknown what the late PUBACK says, and the reply after it', async t => {
  for (const [seconds, timing] of [['2', 'before the time-out of the PUBACK'], ['10', 'after it']] as const) {
    const { broker, advance, app, published } = await setUp(t, {})
    const waiting = { ...KEY, prefer: `wait=${seconds}` }
    const first = send(app, EXAMPLE, waiting)
    await published(1)
    if (seconds === '10') {
      // The PUBACK of another keeps the connection from being given up.
      advance(5_000)
      const other = send(app)
      await published(2)
      broker.connections[0]?.puback(broker.published[1]?.messageId)
      t.equal((await other).statusCode, 200)
      advance(5_000)
    } else {
      advance(2_000)
    }
    t.equal((await first).json().code, 'delivery_unknown', timing)
    t.equal((await send(app, EXAMPLE, waiting)).json().code, 'delivery_unknown')
    broker.connections[0]?.puback(broker.published[0]?.messageId)
    await until(() => app.mqtt.inFlight === 0, 'the late PUBACK')
    const { body, headers } = await send(app, EXAMPLE, waiting)
    t.strictSame([JSON.parse(body).code, headers['idempotency-replayed']], ['reply_timeout', 'true'])
    broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
    t.equal((await repeatUntil(app, 200, waiting)).body, REPLIED_BODY)
  }
})

t.test('keeps a late reply over a PUBACK that comes later still', async t => {
  const { broker, advance, app, published } = await setUp(t, {})
  const first = send(app, EXAMPLE, { ...KEY, prefer: 'wait=1' })
  await published(1)
  advance(1_000)
  t.equal((await first).statusCode, 504)
  broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
  t.equal((await repeatUntil(app, 200)).body, REPLIED_BODY)
  broker.connections[0]?.puback(broker.published[0]?.messageId, 0x10)
  await until(() => app.mqtt.inFlight === 0, 'the late PUBACK')
  t.equal((await send(app, EXAMPLE, WAIT)).body, REPLIED_BODY)
})

t.test('frees the key where a late PUBACK says that the command was refused', async t => {
  const { broker, advance, app, published } = await setUp(t, {})
  const first = send(app, EXAMPLE, { ...KEY, prefer: 'wait=1' })
  await published(1)
  advance(1_000)
  t.equal((await first).statusCode, 504)
  broker.connections[0]?.puback(broker.published[0]?.messageId, 0x87)
  await until(() => app.mqtt.inFlight === 0, 'the late PUBACK')
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId, 0x10) }
  const again = await send(app, EXAMPLE, WAIT)
  t.strictSame([again.statusCode, again.headers['idempotency-replayed']], [404, undefined])
})

t.test('goes on waiting for a caller with a key that has gone, and has the reply for it when it comes back', async t => {
  const { broker, app, published } = await setUp(t)
  const caller = await openRaw(t, await listen(t, app))
  caller.write(await writeOut(WAIT))
  await published(1)
  caller.socket.destroy()
  await caller.ended()
  t.equal((await send(app, EXAMPLE, WAIT)).statusCode, 409)
  t.equal(app.mqtt.waiters, 1)
  broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
  const { body, headers } = await repeatUntil(app, 200)
  t.strictSame([body, headers['idempotency-replayed']], [REPLIED_BODY, 'true'])
  t.equal(broker.published.length, 1)
})

t.test('over Redis, has the reply in another process, and a claim that outlives the wait', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const { broker, app, published } = await setUp(t, acknowledging, { REDIS_URL: redis.url })
  const other = await startConnectedApp(t, broker.url, { REDIS_URL: redis.url })
  await until(() => app.redis?.status === 'ready' && other.redis?.status === 'ready', 'the connections to Redis')
  const first = send(app, EXAMPLE, { ...KEY, prefer: 'wait=60' })
  await published(1)
  const direct = redis.connect()
  const [record = ''] = await direct.keys('*')
  const leftMs = Number(await direct.hget(record, 'deadline')) - Date.now()
  t.ok(leftMs > 65_000 && leftMs <= 71_000, `queue, publish, wait and 5 s: ${leftMs} ms`)
  broker.connections[0]?.reply(broker.published[0], '{"gate":"down"}')
  t.equal((await first).body, REPLIED_BODY)
  const replayed = await send(other, EXAMPLE, WAIT)
  t.strictSame([replayed.statusCode, replayed.body, replayed.headers['idempotency-replayed']], [200, REPLIED_BODY, 'true'])
  t.equal(broker.published.length, 1)
})
