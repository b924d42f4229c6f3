import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { EXAMPLE, SECRET, token, TOPIC } from './helpers/app.js'
import { skipWithoutMosquitto, startMosquitto } from './helpers/mosquitto.js'
import { runProgram } from './helpers/program.js'
import { skipWithoutRedis, startRedis } from './helpers/redis.js'
import { startScriptedBroker } from './helpers/scripted-broker.js'
import { subscribe } from './helpers/subscriber.js'
import { until } from './helpers/until.js'

const SENT_BODY = `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`"}`

interface Answer {
  readonly status: number | undefined
  readonly body: string
  readonly replayed: unknown
}

/** Posts the documented example with a key; undefined where the connection broke. */
function post (url: string, key: string, bearer: string): Promise<Answer | undefined> {
  return new Promise(resolve => {
    const sent = request(`${url}/messaging/send`, {
      method: 'POST', headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', 'idempotency-key': key }
    }, async response => {
      resolve({ status: response.statusCode, body: await text(response), replayed: response.headers['idempotency-replayed'] })
    })
    sent.on('error', () => { resolve(undefined) })
    sent.end(JSON.stringify(EXAMPLE))
  })
}

/** The same, and again where the claim took too long, as on a busy machine: nothing was published then. */
async function postUntilClaimed (url: string, key: string, bearer: string): Promise<Answer | undefined> {
  const answer = await post(url, key, bearer)
  return answer?.status === 503 ? await postUntilClaimed(url, key, bearer) : answer
}

/** A server as a process of its own, connected to broker and Redis. */
async function startServer (t: Test, env: Readonly<Record<string, string>>) {
  const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', JWT_SECRET: SECRET, NODE_ENV: 'production', ...env } })
  for (const line of ['Server listening', 'connected to the broker', 'connected to Redis']) await server.says(line)
  return { ...server, url: String(/http:\/\/127\.0\.0\.1:\d+/.exec(server.output.stdout)?.[0]) }
}

t.test('publishes once for 1,000 concurrent requests with one key over two processes', { skip: skipWithoutRedis || skipWithoutMosquitto }, async t => {
  const [redis, broker] = await Promise.all([startRedis(t), startMosquitto(t)])
  const device = await subscribe(t, broker.url, TOPIC)
  const env = { REDIS_URL: redis.url, MQTT_URL: broker.url }
  const servers = await Promise.all([startServer(t, env), startServer(t, env)])
  const bearer = await token()
  const urlOf = (n: number) => String(servers[n % 2]?.url)

  const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => postUntilClaimed(urlOf(n), 'k', bearer)))
  const count = (status: number) => answers.filter(answer => answer?.status === status).length
  t.equal(count(200) + count(409), 1000, `${count(200)} x 200, ${count(409)} x 409`)
  t.ok(answers.every(answer => answer?.status === 409 || answer?.body === SENT_BODY))
  t.equal(answers.filter(answer => answer?.status === 200 && answer.replayed === undefined).length, 1, 'one of them published')
  for (const { url } of servers) t.strictSame(await post(url, 'k', bearer), { status: 200, body: SENT_BODY, replayed: 'true' })

  await post(urlOf(0), 'last', bearer)
  await device.count(2)
  t.strictSame(device.payloads, ['push_down', 'push_down'], 'one for the thousand, one after them')
})

t.test('answers 409, then 504, for a key whose process was killed while it published, and never publishes again', { skip: skipWithoutRedis }, async t => {
  const redis = await startRedis(t)
  const broker = await startScriptedBroker(t)
  const env = { REDIS_URL: redis.url, MQTT_URL: broker.url, MQTT_PUBLISH_TIMEOUT_MS: '100', MQTT_QUEUE_TIMEOUT_MS: '0' }
  const [victim, other] = await Promise.all([startServer(t, env), startServer(t, env)])
  const bearer = await token()
  const lost = postUntilClaimed(victim.url, 'k', bearer)
  const startedMs = performance.now()
  await until(() => broker.published.length === 1, 'the publish')
  victim.kill('SIGKILL')
  t.equal(await lost, undefined, 'its caller hears nothing')

  const statuses: Array<number | undefined> = []
  const isOver = () => statuses.at(-1) !== 409
  do statuses.push((await postUntilClaimed(other.url, 'k', bearer))?.status)
  while (!isOver())
  t.equal(statuses[0], 409)
  t.equal(statuses.at(-1), 504)
  const tookMs = performance.now() - startedMs
  t.ok(tookMs > 4900, `not before the deadline, 5.1 s after the claim: ${tookMs} ms`)
  t.equal((await postUntilClaimed(other.url, 'k', bearer))?.status, 504)
  t.equal(broker.published.length, 1)
})
