import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import { createSharedCounters } from '../../src/limits/counters.js'
import redisPlugin from '../../src/plugins/redis.js'
import { EXAMPLE, send, startApp } from '../helpers/app.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { skipWithoutRedis, startRedis } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const LIMITS = { RATE_LIMIT_CALLER: '3/1h,4/1d', RATE_LIMIT_DEVICE: '100/1h' }

/** A logger that keeps what it is told of limits. */
function keepLines () {
  const lines: string[] = []
  const stream = {
    write (line: string) {
      const { msg } = JSON.parse(line)
      if (/limits/.test(msg)) lines.push(msg)
    }
  }
  return { lines, logger: { level: 'info', stream } }
}

const DOWN = 'limits are counted per process while Redis does not answer'
const UP = 'limits are counted in Redis again'

t.test('counts for all processes in Redis, each window on its own', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const env = { ...NOWHERE, ...LIMITS, REDIS_URL: redis.url }
  const [one, two] = [await startApp(t, env), await startApp(t, env)]
  await until(() => [one, two].every(app => app.redis?.status === 'ready'), 'both connections')
  const answers: unknown[] = []
  for (const app of [one, two, one, two, one]) {
    const { statusCode, headers } = await send(app)
    answers.push([statusCode, headers['ratelimit-limit'], headers['ratelimit-remaining'], headers['ratelimit-reset']])
  }
  t.strictSame(answers, [[406, '3', '2', '3600'], [406, '3', '1', '3600'], [406, '3', '0', '3600'], [429, '3', '0', '3600'], [429, '3', '0', '3600']])

  const client = redis.connect()
  const keys = (await client.keys('*')).sort()
  t.equal(keys.length, 3, 'two windows of the caller, one of the device')
  t.notMatch(keys.join(), /tester/, 'no name of a caller')
  for (const key of keys) t.ok(await client.pttl(key) > 0, 'each goes by itself')
})

t.test('counts per process while Redis is away, and says so once', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const { lines, logger } = keepLines()
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '2/1h', REDIS_URL: redis.url }, { logger })
  await until(() => app.redis?.status === 'ready', 'the connection')
  t.equal((await send(app)).headers['ratelimit-remaining'], '1')
  await redis.stop('SIGKILL')
  await until(() => app.redis?.status !== 'ready', 'the end of the connection')
  const responses = [await send(app), await send(app), await send(app)]
  t.strictSame(responses.map(({ statusCode, headers }) => [statusCode, headers['ratelimit-remaining']]), [[406, '1'], [406, '0'], [429, '0']])
  t.strictSame(lines, [DOWN])

  await redis.start()
  await until(() => app.redis?.status === 'ready', 'the connection')
  let isBack = false
  const asking = (async () => { while (!isBack) isBack = (await send(app, EXAMPLE), lines.length > 1) })()
  await until(() => isBack, 'the return to Redis')
  await asking
  t.strictSame(lines, [DOWN, UP])
})

t.test('costs one request in a pause 250 ms, and the others nothing, where Redis hangs', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const { lines, logger } = keepLines()
  // It stands still, however slow the machine is.
  const { clock, advance } = createFakeClock()
  const env = { ...NOWHERE, RATE_LIMIT_CALLER: '1000/1h', RATE_LIMIT_DEVICE: '1000/1h', REDIS_URL: redis.url }
  const app = await startApp(t, env, { logger, clock })
  await until(() => app.redis?.status === 'ready', 'the connection')
  redis.signal('SIGSTOP')
  for (let pause = 0; pause < 3; pause += 1) {
    let answered = 0
    const probe = send(app).then(({ statusCode }) => {
      t.equal(statusCode, 406)
      return answered
    })
    // The first request of all finds out that Redis hangs: until then, others wait as long.
    if (pause === 0) await probe
    const others = Array.from({ length: 10 }, async () => {
      t.equal((await send(app)).statusCode, 406)
      answered += 1
    })
    await Promise.all(others)
    t.equal(await probe, pause === 0 ? 0 : 10, 'all others are answered before the one that looks')
    advance(1_000)
  }
  t.strictSame(lines, [DOWN])
  redis.signal('SIGCONT')
  for (; lines.length === 1; advance(1_000)) await send(app)
  t.strictSame(lines, [DOWN, UP])
})

t.test('does not take a fault of its own for one of Redis', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const { lines, logger } = keepLines()
  const fastify = Fastify({ logger })
  t.teardown(async () => { await fastify.close() })
  await fastify.register(redisPlugin, { url: redis.url })
  if (fastify.redis === undefined) throw new Error('there is no connection')
  const create = await createSharedCounters(fastify, fastify.redis, createFakeClock().clock)
  const count = create({ max: 1, lengthMs: 1_000 }, () => { throw new Error('ours') })
  fastify.get('/', async request => await count(request))
  t.equal((await fastify.inject('/')).json().message, 'ours')
  t.strictSame(lines, [])
})

t.test('leaves a Redis that failed alone for its pause, also where it answers one that had asked before', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const { lines, logger } = keepLines()
  const { clock, advance } = createFakeClock()
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '1000/1h', REDIS_URL: redis.url }, { logger, clock })
  await until(() => app.redis?.status === 'ready', 'the connection')
  redis.signal('SIGSTOP')
  const first = send(app)
  await sleep(150)
  const second = send(app)
  await first
  redis.signal('SIGCONT')
  await second
  await send(app)
  t.strictSame(lines, [DOWN])
  advance(1_000)
  await send(app)
  t.strictSame(lines, [DOWN, UP])
})
