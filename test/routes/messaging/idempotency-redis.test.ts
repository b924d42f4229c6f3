import t, { type Test } from 'tap'
import type { AppOverrides } from '../../../src/app.js'
import { IMEI, send, startConnectedApp, TOPIC, type App } from '../../helpers/app.js'
import { createLog } from '../../helpers/log.js'
import { listen, openRaw, writeOut } from '../../helpers/raw-http.js'
import { startRedis, skipWithoutRedis } from '../../helpers/redis.js'
import { acknowledging, startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const COMMAND = { imei: IMEI, micro_op: 'push_down' }
const SENT_BODY = `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`"}`
const withKey = (key: string) => ({ 'idempotency-key': key })

/** Waits until Redis answers the app. */
async function untilReady (app: App) {
  await until(() => app.redis?.status === 'ready', 'the connection to Redis')
}

/** A server with its broker and its Redis, connected to both. */
async function setUp (t: Test, script: Parameters<typeof startScriptedBroker>[1] = acknowledging, overrides?: AppOverrides) {
  const redis = await startRedis(t)
  const broker = await startScriptedBroker(t, script)
  const start = async () => {
    const app = await startConnectedApp(t, broker.url, { REDIS_URL: redis.url }, overrides)
    await untilReady(app)
    return app
  }
  return { redis, broker, app: await start(), start }
}

t.test('Idempotency-Key over Redis', { skip: skipWithoutRedis }, async t => {
  t.test('replays in one process what another has answered', async t => {
    const { broker, app, start } = await setUp(t)
    const answers = []
    for (const one of [app, await start()]) answers.push(await send(one, COMMAND, withKey('k')))
    t.strictSame(answers.map(({ statusCode, body, headers }) => [statusCode, body, headers['idempotency-replayed']]), [
      [200, SENT_BODY, undefined], [200, SENT_BODY, 'true']
    ])
    t.equal(broker.published.length, 1)
  })

  t.test('answers 503 to a key while Redis is away, publishes nothing for it, and serves all others as ever', async t => {
    const { redis, broker, app } = await setUp(t)
    t.equal((await send(app, COMMAND, withKey('old'))).statusCode, 200)
    await redis.stop()
    const refused = await send(app, COMMAND, withKey('new'))
    t.equal(refused.statusCode, 503)
    t.equal(refused.json().code, 'idempotency_store_unavailable')
    t.equal(refused.headers['retry-after'], '1')
    t.equal(broker.published.length, 1)
    t.equal((await send(app)).statusCode, 200)

    await redis.start()
    await untilReady(app)
    const fresh = await send(app, COMMAND, withKey('new'))
    t.strictSame([fresh.statusCode, fresh.headers['idempotency-replayed']], [200, undefined])
    const replayed = await send(app, COMMAND, withKey('old'))
    t.strictSame([replayed.statusCode, replayed.body, replayed.headers['idempotency-replayed']], [200, SENT_BODY, 'true'])
    t.equal(broker.published.length, 3)
  })

  t.test('answers 503 within its time to a key while Redis hangs, and the key is free again afterwards', async t => {
    const { redis, broker, app } = await setUp(t)
    redis.signal('SIGSTOP')
    const startedMs = performance.now()
    t.equal((await send(app, COMMAND, withKey('k'))).statusCode, 503)
    const tookMs = performance.now() - startedMs
    t.ok(tookMs >= 240, `${tookMs} ms`)
    t.equal((await send(app)).statusCode, 200)
    t.equal(broker.published.length, 1)
    redis.signal('SIGCONT')
    const again = await send(app, COMMAND, withKey('k'))
    t.strictSame([again.statusCode, again.headers['idempotency-replayed']], [200, undefined])
    t.equal(broker.published.length, 2)
  })

  t.test('answers the true outcome where Redis is lost after the publish; repeats get 409, then 504, and publish nothing', async t => {
    const log = createLog()
    const { redis, broker, app } = await setUp(t, {}, log)
    const first = send(app, COMMAND, withKey('k'))
    await until(() => broker.published.length === 1, 'the publish')
    await redis.stop('SIGKILL')
    broker.connections[0]?.puback(broker.published[0]?.messageId)
    const answer = await first
    t.strictSame([answer.statusCode, answer.body], [200, SENT_BODY])

    await redis.start()
    await untilReady(app)
    t.equal((await send(app, COMMAND, withKey('k'))).statusCode, 409)
    // The deadline of the claim has passed.
    const direct = redis.connect()
    const [record = ''] = await direct.keys('*')
    await direct.hset(record, 'deadline', 0)
    const repeat = await send(app, COMMAND, withKey('k'))
    t.equal(repeat.statusCode, 504)
    t.equal(repeat.json().code, 'delivery_unknown')
    t.equal(repeat.headers['proxy-status'], 'messenger; error=connection_terminated')
    t.equal(broker.published.length, 1)
    t.strictSame(log.answered().at(-1), {
      reqId: repeat.headers['x-request-id'],
      method: 'POST',
      path: '/messaging/send',
      status: 504,
      sub: 'tester',
      imei: IMEI,
      micro_op: 'push_down',
      topic: TOPIC,
      outcome: 'unknown',
      reason: 'delivery_unknown',
      hasDuration: true
    }, 'nobody knows what became of it')
  })

  t.test('changes no answer without a key while Redis is stopped under load, answers 503 to keys, and replays the old ones afterwards', async t => {
    const { redis, broker, app } = await setUp(t)
    const plain: number[] = []
    const keyed = new Map<string, number>()
    let isOver = false
    const isDue = () => !isOver

    /** A caller that sends without a key and with one, turn by turn. */
    async function call (caller: number): Promise<void> {
      for (let n = 0; isDue(); n++) {
        plain.push((await send(app)).statusCode)
        const key = `${caller}-${n}`
        keyed.set(key, (await send(app, COMMAND, withKey(key))).statusCode)
      }
    }

    const calls = Array.from({ length: 16 }, (_, caller) => call(caller))
    const answered = (status: number) => [...keyed.values()].filter(one => one === status).length
    await until(() => answered(200) > 100, '200s before the stop')
    await redis.stop()
    await until(() => answered(503) > 100, '503s while it is stopped')
    const before = answered(200)
    await redis.start()
    await until(() => answered(200) > before + 100, '200s after it was started again')
    isOver = true
    await Promise.all(calls)

    t.ok(plain.every(status => status === 200), `${plain.length} without a key, all of them 200`)
    t.equal(answered(200) + answered(503), keyed.size, `${answered(200)} x 200, ${answered(503)} x 503`)
    t.equal(broker.published.length, plain.length + answered(200), 'nothing was published for a 503')
    const recorded = [...keyed].filter(([, status]) => status === 200).map(([key]) => key)
    for (const key of recorded.slice(0, 100)) {
      const { statusCode, headers } = await send(app, COMMAND, withKey(key))
      t.strictSame([statusCode, headers['idempotency-replayed']], [200, 'true'])
    }
    t.equal(broker.published.length, plain.length + answered(200))
  })

  t.test('tells once that keys cannot be claimed, and once that they can again', async t => {
    const lines: string[] = []
    const stream = { write (line: string) { if (line.includes('Idempotency-Key')) lines.push(JSON.parse(line).msg) } }
    const { redis, app } = await setUp(t, acknowledging, { logger: { level: 'info', stream } })
    const direct = redis.connect()
    await direct.config('SET', 'maxmemory', '1')
    for (const key of ['a', 'b']) t.equal((await send(app, COMMAND, withKey(key))).statusCode, 503)
    await direct.config('SET', 'maxmemory', '0')
    for (const key of ['a', 'b']) t.equal((await send(app, COMMAND, withKey(key))).statusCode, 200)
    t.strictSame(lines, [
      'cannot claim an Idempotency-Key; requests with one are answered 503',
      'the store of Idempotency-Keys answers again'
    ])
  })

  t.test('records the outcome for a caller that has gone also where the server stops meanwhile', async t => {
    const { broker, app, start } = await setUp(t, {})
    const caller = await openRaw(t, await listen(t, app))
    caller.write(await writeOut(withKey('k')))
    await until(() => broker.published.length === 1, 'the publish')
    caller.socket.destroy()
    const closed = app.close()
    await until(() => app.drain.isRefusing, 'the refusal of new requests')
    broker.connections[0]?.puback(broker.published[0]?.messageId)
    await closed
    const next = await start()
    const repeat = await send(next, COMMAND, withKey('k'))
    t.strictSame([repeat.statusCode, repeat.body, repeat.headers['idempotency-replayed']], [200, SENT_BODY, 'true'])
    t.equal(broker.published.length, 1)
  })

  t.test('loses no finished record when Redis is killed, with every write on its disk', async t => {
    const { redis, broker, app } = await setUp(t)
    const keys = Array.from({ length: 200 }, (_, n) => `k${n}`)
    const sendAll = () => Promise.all(keys.map(key => send(app, COMMAND, withKey(key))))
    t.ok((await sendAll()).every(({ statusCode, headers }) => statusCode === 200 && headers['idempotency-replayed'] === undefined))
    await redis.stop('SIGKILL')
    await redis.start()
    await untilReady(app)
    t.ok((await sendAll()).every(({ statusCode, headers }) => statusCode === 200 && headers['idempotency-replayed'] === 'true'))
    t.equal(broker.published.length, keys.length)
  })
})
