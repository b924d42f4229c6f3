import { randomUUID } from 'node:crypto'
import t from 'tap'
import { EXAMPLE, send, startApp } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { answer, FOREIGN, LET_IN, NEW_JWK, OLD, OLD_JWK, startIssued, UNPUBLISHED } from '../helpers/issued-app.js'
import { AUDIENCE, startIssuer } from '../helpers/issuer.js'
import { ecdsa, jws } from '../helpers/jws.js'
import { subscribe } from '../helpers/subscriber.js'
import { until } from '../helpers/until.js'

const CACHE_MS = 600_000
const REFRESH_MS = 540_000
const COOLDOWN_MS = 30_000
const GRACE_MS = 3_600_000

const UNAVAILABLE = [503, 'The keys of the issuer cannot be fetched, so the access token cannot be checked; nothing was published']

/** How long the server waits for an issuer that hangs, in real time. */
const SHORT_MS = 1_000

t.test('publishes for a token signed with a key of the set', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const issuer = await startIssuer(t)
  issuer.state.keys = [OLD_JWK]
  const app = await startApp(t, { ...issuer.env, MQTT_URL: broker.url })
  await app.mqtt.whenConnected()
  t.strictSame((await answer(app, await issuer.sign(FOREIGN.privateKey, { alg: 'ES256', kid: 'old' }))), [401, 'The signature of the access token is wrong'])
  t.equal((await answer(app, await issuer.sign(OLD.privateKey, { alg: 'ES256', kid: 'old' })))[0], 200)
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])
})

t.test('fetches the keys when it is ready, and once for all requests that need them', async t => {
  const { app, issuer, advance, old } = await startIssued(t)
  t.equal(issuer.state.fetches, 0)
  advance(0)
  const answers = await Promise.all(Array.from({ length: 50 }, async () => await answer(app, old)))
  t.strictSame(answers, answers.map(() => LET_IN))
  t.equal(issuer.state.fetches, 1)
})

t.test('accepts a new key at once, and a removed one until the cache window ends, though its token is remembered', async t => {
  const { app, issuer, advance, old, fresh } = await startIssued(t)
  t.strictSame(await answer(app, old), LET_IN)
  t.strictSame(await answer(app, fresh), UNPUBLISHED, 'before the rotation')
  issuer.state.keys = [NEW_JWK]
  t.strictSame(await answer(app, fresh), UNPUBLISHED, 'within the cooldown')
  t.equal(issuer.state.fetches, 1)
  advance(CACHE_MS - 1)
  t.strictSame(await answer(app, fresh), LET_IN, 'it has looked by itself')
  t.strictSame(await answer(app, old), LET_IN, 'the last moment of the window')
  t.equal(issuer.state.fetches, 2)
  advance(1)
  t.strictSame(await answer(app, old), UNPUBLISHED, 'the window is over')
  t.strictSame(await answer(app, fresh), LET_IN)
})

t.test('looks by itself before the window ends, so that no token waits for an issuer that hangs', async t => {
  const { app, issuer, advance, old, fresh } = await startIssued(t)
  t.strictSame(await answer(app, old), LET_IN)
  advance(REFRESH_MS - 1)
  t.equal(issuer.state.fetches, 1)
  advance(1)
  await until(() => issuer.state.fetches === 2, 'a fetch that no request asked for')
  t.strictSame(await answer(app, fresh), UNPUBLISHED, 'it has the answer')
  issuer.state.mood = 'hangs'
  advance(REFRESH_MS)
  await until(() => issuer.state.hanging.length === 1, 'the next')
  advance(COOLDOWN_MS)
  t.strictSame(await answer(app, old), LET_IN, 'it does not wait')
  t.equal(issuer.state.fetches, 3)
  issuer.hangUp()
  t.strictSame(await answer(app, old), LET_IN)
})

t.test('lets a removed key have the rest of its window where a new one has the keys fetched sooner, and not a moment more', async t => {
  const { app, issuer, advance, old, fresh } = await startIssued(t)
  t.strictSame([await answer(app, old), await answer(app, old)], [LET_IN, LET_IN])
  issuer.state.keys = [NEW_JWK]
  advance(COOLDOWN_MS)
  t.strictSame(await answer(app, fresh), LET_IN, 'an unknown kid makes it look')
  t.equal(issuer.state.fetches, 2)
  t.strictSame([await answer(app, old), await answer(app, old)], [LET_IN, LET_IN])
  advance(CACHE_MS - COOLDOWN_MS - 1)
  t.strictSame(await answer(app, old), LET_IN, 'the last moment of the window')
  advance(1)
  t.strictSame(await answer(app, old), UNPUBLISHED, 'though its token is remembered')
  t.strictSame(await answer(app, fresh), LET_IN)
})

t.test('goes on with the same keys when they were not changed', async t => {
  const { app, issuer, advance, old } = await startIssued(t)
  for (let fetches = 1; fetches <= 3; fetches++) {
    t.strictSame([await answer(app, old), await answer(app, old)], [LET_IN, LET_IN])
    t.equal(issuer.state.fetches, fetches)
    advance(CACHE_MS)
  }
})

t.test('asks the issuer once in a cooldown, however many tokens name unknown keys', async t => {
  const { app, issuer, advance } = await startIssued(t, undefined, { TRUST_PROXY: '127.0.0.1' })
  const header = (kid: string) => Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url')
  const [, payload, signature] = (await issuer.sign(FOREIGN.privateKey, { alg: 'ES256', kid: 'x' })).split('.')
  // Of many addresses: one alone would be told 429.
  const unknown = async (batch: number) => await answer(app, `${header(randomUUID())}.${payload}.${signature}`, { 'x-forwarded-for': `192.0.2.${batch}` })
  for (let round = 1; round <= 2; round++) {
    let refused = 0
    for (let batch = 0; batch < 50; batch++) {
      const answers = await Promise.all(Array.from({ length: 100 }, async () => await unknown(batch)))
      refused += answers.filter(([status, detail]) => status === 401 && detail === UNPUBLISHED[1]).length
    }
    t.equal(refused, 5_000)
    t.equal(issuer.state.fetches, round)
    advance(COOLDOWN_MS)
  }
})

for (const mood of ['hangs', 'fails', 'talks nonsense'] as const) {
  t.test(`answers 503 with Retry-After to tokens it cannot check while the issuer ${mood}, and asks it once in a cooldown`, async t => {
    const { app, issuer, advance, old } = await startIssued(t, SHORT_MS)
    issuer.state.mood = mood
    for (const waitS of [30, 29]) {
      const response = await send(app, EXAMPLE, { authorization: `Bearer ${old}` })
      t.equal(response.statusCode, 503)
      t.equal(response.headers['retry-after'], String(waitS))
      t.notOk('www-authenticate' in response.headers)
      t.strictSame(response.json(), { title: 'Key source unavailable', status: 503, code: 'key_source_unavailable', detail: UNAVAILABLE[1] })
      advance(1_000)
    }
    t.equal((await answer(app, 'nonsense'))[0], 401, 'a token that no key is needed for')
    t.equal((await answer(app, `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`))[0], 401)
    t.equal(issuer.state.fetches, 1)
    issuer.state.mood = 'answers'
    advance(COOLDOWN_MS)
    await until(() => issuer.state.fetches === 2, 'a fetch that no request asked for')
    t.strictSame(await answer(app, old), LET_IN)
    t.equal(issuer.state.fetches, 2)
  })
}

t.test('keeps the last good keys for an hour while the issuer cannot be reached, then answers 503', async t => {
  const { app, issuer, advance, old, fresh } = await startIssued(t)
  t.strictSame(await answer(app, old), LET_IN)
  issuer.state.mood = 'fails'
  advance(REFRESH_MS)
  t.strictSame(await answer(app, fresh), UNAVAILABLE, 'a key that it cannot know')
  t.equal(issuer.state.fetches, 2)
  issuer.state.mood = 'hangs'
  advance(COOLDOWN_MS)
  await until(() => issuer.state.hanging.length === 1, 'the next attempt')
  advance(CACHE_MS - REFRESH_MS - COOLDOWN_MS)
  t.strictSame([await answer(app, old), await answer(app, old)], [LET_IN, LET_IN], 'it does not wait for the issuer')
  issuer.state.mood = 'fails'
  issuer.hangUp()
  advance(GRACE_MS - 1)
  t.strictSame(await answer(app, old), LET_IN, 'the last moment of the grace')
  advance(1)
  t.strictSame(await answer(app, old), UNAVAILABLE)
})

t.test('says of an expired token that it has expired while keys serve, and 503 while there are none', async t => {
  const { app, issuer, advance } = await startIssued(t)
  const expired = jws({ alg: 'ES256', kid: 'old' }, { iss: issuer.url, aud: AUDIENCE, sub: 'tester', exp: 1 }, ecdsa(OLD.privateKey))
  const EXPIRED = [401, 'The access token has expired']
  issuer.state.mood = 'fails'
  t.strictSame(await answer(app, expired), UNAVAILABLE)
  issuer.state.mood = 'answers'
  advance(COOLDOWN_MS)
  t.strictSame(await answer(app, expired), EXPIRED)
  issuer.state.mood = 'fails'
  advance(CACHE_MS)
  t.strictSame(await answer(app, expired), EXPIRED, 'in the grace')
})

t.test('takes it from an issuer that answers again, also during the grace, which keys there are', async t => {
  const { app, issuer, advance, old, fresh } = await startIssued(t)
  t.strictSame(await answer(app, old), LET_IN)
  issuer.state.mood = 'fails'
  advance(CACHE_MS)
  t.strictSame(await answer(app, old), LET_IN)
  Object.assign(issuer.state, { mood: 'answers', keys: [NEW_JWK] })
  advance(COOLDOWN_MS)
  await until(() => issuer.state.fetches === 3, 'the next attempt')
  t.strictSame(await answer(app, fresh), LET_IN)
  t.strictSame(await answer(app, old), UNPUBLISHED)
  issuer.state.keys = []
  advance(CACHE_MS)
  t.strictSame(await answer(app, fresh), UNPUBLISHED, 'a set without keys is no failure: there is no grace')
})

t.test('asks no more once it is closed', async t => {
  const { app, issuer, advance, old } = await startIssued(t, SHORT_MS)
  issuer.state.mood = 'hangs'
  const pending = answer(app, old)
  await until(() => issuer.state.hanging.length === 1, 'a fetch under way')
  const closed = app.close()
  await pending
  await closed
  advance(CACHE_MS)
  t.equal(issuer.state.fetches, 1)
})

t.test('looks no more by itself once it is closed', async t => {
  const { app, issuer, advance, old } = await startIssued(t)
  t.strictSame(await answer(app, old), LET_IN)
  await app.close()
  advance(CACHE_MS)
  // The next in line: whatever was asked before it has arrived.
  await fetch(`${issuer.url}/keys`)
  t.equal(issuer.state.fetches, 2, 'that of the test')
})
