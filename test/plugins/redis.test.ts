import t, { type Test } from 'tap'
import { send, startApp } from '../helpers/app.js'
import { freePort } from '../helpers/ports.js'
import { skipWithoutRedis, startRedis, type RedisOptions } from '../helpers/redis.js'
import { until } from '../helpers/until.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const UP = 'connected to Redis'
const DOWN = 'no connection to Redis; trying again until it answers'

/** The app with what it logs about Redis. */
async function startLogged (t: Test, url: string) {
  const lines: Array<{ level: number, msg: string, reason?: string }> = []
  const stream = { write (line: string) { if (line.includes('Redis')) lines.push(JSON.parse(line)) } }
  const app = await startApp(t, { ...NOWHERE, REDIS_URL: url }, { logger: { level: 'info', stream } })
  const messages = () => lines.map(({ msg }) => msg)
  return { app, lines, messages, logs: (count: number) => until(() => lines.length === count, () => `${count} lines, of which there are: ${messages().join('; ')}`) }
}

t.test('is not there without REDIS_URL', async t => {
  const app = await startApp(t, NOWHERE)
  t.equal(app.redis, undefined)
})

t.test('Redis', { skip: skipWithoutRedis }, async t => {
  t.test('lets the server start without it, finds it when it comes, and tells each change once', async t => {
    const port = await freePort()
    const { app, lines, messages, logs } = await startLogged(t, `redis://127.0.0.1:${port}`)
    await logs(1)
    t.match(lines[0]?.reason, /ECONNREFUSED/)
    t.equal((await send(app)).statusCode, 406, 'the broker is away as well')
    t.equal((await send(app, undefined, { 'idempotency-key': 'k' })).statusCode, 503)
    const redis = await startRedis(t, { port })
    await logs(2)
    // By its answer the settings have been read, which would have a line of its own if they could not.
    await app.redis?.ping()
    await redis.stop()
    await logs(3)
    await redis.start()
    await logs(4)
    t.strictSame(messages(), [DOWN, UP, DOWN, UP])
  })

  t.test('does not log the password of its URL', async t => {
    const { lines, logs } = await startLogged(t, `redis://:geheim@127.0.0.1:${await freePort()}`)
    await logs(1)
    t.notMatch(JSON.stringify(lines), 'geheim')
  })

  const warnings: Array<[string, RedisOptions['settings'] & object, string[]]> = [
    ['may drop records', { 'maxmemory-policy': 'allkeys-lru' }, ['Redis may drop records before their time: set maxmemory-policy to noeviction']],
    ['forgets records when it stops', { appendonly: 'no' }, ['Redis forgets records when it stops: set appendonly to yes']],
    ['is set up as it should be', {}, []]
  ]
  for (const [what, settings, expected] of warnings) {
    t.test(`warns of what can lose a record where it ${what}: ${expected.length} lines`, async t => {
      const redis = await startRedis(t, { settings })
      const { app, messages, logs } = await startLogged(t, redis.url)
      await logs(1 + expected.length)
      await app.redis?.ping()
      t.strictSame(messages(), [UP, ...expected])
    })
  }

  t.test('says so where it may not read the settings', async t => {
    const redis = await startRedis(t)
    await redis.connect().call('ACL', 'SETUSER', 'default', '-info')
    const { messages, logs } = await startLogged(t, redis.url)
    await logs(2)
    t.strictSame(messages().sort(), ['cannot read the settings of Redis', UP])
  })
})
