import t from 'tap'
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

t.test('costs one request its time-out, and not each, where Redis hangs', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const { lines, logger } = keepLines()
  // It stands still, however slow the machine is.
  const { clock } = createFakeClock()
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '100/1h', REDIS_URL: redis.url }, { logger, clock })
  await until(() => app.redis?.status === 'ready', 'the connection')
  redis.signal('SIGSTOP')
  const startedMs = performance.now()
  for (let n = 0; n < 8; n += 1) t.equal((await send(app)).statusCode, 406)
  t.ok(performance.now() - startedMs < 1_500, `${performance.now() - startedMs} ms`)
  t.strictSame(lines, [DOWN])
})
