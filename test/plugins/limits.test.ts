import t from 'tap'
import { EXAMPLE, IMEI, send, startApp, startConnectedApp, token, TOPIC } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { subscribe } from '../helpers/subscriber.js'
import { until } from '../helpers/until.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

type Response = Awaited<ReturnType<typeof send>>

/** What an answer says of the limits. */
function told ({ statusCode, headers }: Response) {
  return [statusCode, headers['ratelimit-limit'], headers['ratelimit-remaining'], headers['ratelimit-reset'], headers['retry-after']]
}

const refusal = (detail: string) => ({ title: 'Too many requests', status: 429, code: 'rate_limited', detail })

/** Headers of another caller than that of {@link send}. */
async function as (claims: Readonly<Record<string, unknown>>): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await token(claims)}` }
}

t.test('says nothing of limits where there are none', async t => {
  const app = await startApp(t, NOWHERE)
  t.strictSame(told(await send(app)).slice(0, 4), [406, undefined, undefined, undefined])
})

t.test('answers 429 to a caller above its limit, and publishes no more than the limit', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, { RATE_LIMIT_CALLER: '3/1d' })
  const responses = await Promise.all(Array.from({ length: 8 }, () => send(app)))
  t.strictSame(responses.map(({ statusCode }) => statusCode).sort(), [200, 200, 200, 429, 429, 429, 429, 429])
  const refused = responses.find(({ statusCode }) => statusCode === 429)
  t.equal(refused?.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.strictSame(refused?.json(), refusal('A caller may send 3 commands in 86400 s; nothing was published'))
  t.strictSame(refused === undefined ? [] : told(refused), [429, '3', '0', '86400', '86400'])

  t.equal((await send(app, { ...EXAMPLE, imei: 'last' }, await as({ sub: 'another' }))).statusCode, 200, 'another sub has a limit of its own')
  t.equal((await send(app, { ...EXAMPLE, imei: 'last' }, await as({ iss: 'another' }))).statusCode, 200, 'so has the same sub of another issuer')
  t.equal((await send(app, EXAMPLE, await as({ jti: 'another' }))).statusCode, 429, 'another token of the same caller has not')
  await device.count(5)
  t.strictSame(device.received.map(({ topic }) => topic), [TOPIC, TOPIC, TOPIC, 'devices/last/commands', 'devices/last/commands'])
})

t.test('answers 429 for a device above its limit, whoever sends', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, { RATE_LIMIT_DEVICE: '1/1h' })
  t.strictSame(told(await send(app)), [200, '1', '0', '3600', undefined])
  const refused = await send(app, EXAMPLE, await as({ sub: 'another' }))
  t.strictSame(told(refused), [429, '1', '0', '3600', '3600'])
  t.strictSame(refused.json(), refusal('A device may be sent 1 command in 3600 s; nothing was published'))
  t.equal((await send(app, { ...EXAMPLE, imei: 'last' })).statusCode, 200)
  await device.count(2)
  t.strictSame(device.received.map(({ topic }) => topic), [TOPIC, 'devices/last/commands'])
})

t.test('counts devices of one name apart where a claim of the token makes their topics', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, { RATE_LIMIT_DEVICE: '1/1h', MQTT_TOPIC: '{claims.tenant}/{imei}' })
  const statuses: number[] = []
  for (const [tenant, sub] of [['a', 'one'], ['b', 'one'], ['a', 'two']]) statuses.push((await send(app, EXAMPLE, await as({ tenant, sub }))).statusCode)
  t.strictSame(statuses, [200, 200, 429])
  t.equal((await send(app, EXAMPLE, await as({ tenant: 'a/b' }))).statusCode, 403, 'a permission is missed before a limit')
  await device.count(2)
  t.strictSame(device.received.map(({ topic }) => topic), [`a/${IMEI}`, `b/${IMEI}`])
})

t.test('tells of the window that leaves least, and of two alike the one that lasts longer', async t => {
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '10/1m,4/1d', RATE_LIMIT_DEVICE: '2/1h,3/1m' })
  t.strictSame(told(await send(app)).slice(1, 4), ['2', '1', '3600'])
  t.strictSame(told(await send(app)).slice(1, 4), ['2', '0', '3600'])
  t.strictSame(told(await send(app, { ...EXAMPLE, imei: '2' })).slice(1, 4), ['4', '1', '86400'], 'one left of the device in an hour, of the caller in a day')
})

t.test('counts nothing against the longer windows, or the device, for what it refuses', async t => {
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '1/1s,3/1h', RATE_LIMIT_DEVICE: '3/1h' })
  let refused = 0
  await askUntil(async () => {
    const response = await send(app)
    if (response.statusCode === 429 && response.headers['ratelimit-limit'] === '1') refused += 1
    return response.statusCode === 429 && response.headers['ratelimit-limit'] === '3'
  })
  t.ok(refused >= 3, `${refused} refused by the shortest`)
  t.equal((await send(app, EXAMPLE, await as({ sub: 'another' }))).statusCode, 429, 'the device got its three')
})

/** Asks again until the answer is yes. */
async function askUntil (ask: () => Promise<boolean>): Promise<void> {
  let isThere = false
  const asking = (async () => { while (!isThere) isThere = await ask() })()
  await until(() => isThere, 'the limit of the longer window')
  await asking
}

t.test('refuses for a limit after 400, 403 and a malformed key, and before the key is claimed', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, { RATE_LIMIT_CALLER: '2/1h', JWT_SCOPE: 'send' })
  const may = await as({ scope: 'send' })
  const key = { ...may, 'idempotency-key': 'k' }
  t.equal((await send(app, {}, may)).statusCode, 400, 'and it is not counted')
  t.equal((await send(app, EXAMPLE, await as({}))).statusCode, 403, 'nor is this')
  t.equal((await send(app, EXAMPLE, { ...may, 'idempotency-key': '' })).statusCode, 400, 'nor this')
  t.equal((await send(app, EXAMPLE, key)).statusCode, 200)
  const replay = await send(app, EXAMPLE, key)
  t.equal(replay.headers['idempotency-replayed'], 'true')
  t.strictSame(told(replay), [200, '2', '0', '3600', undefined], 'a replay counts')
  t.equal((await send(app, EXAMPLE, key)).statusCode, 429, 'and is refused')
  t.equal((await send(app, EXAMPLE, { ...key, 'idempotency-key': 'new' })).statusCode, 429)
  t.equal((await send(app, {}, may)).statusCode, 400, 'a limit outranks no fault')
  t.equal((await send(app, EXAMPLE, await as({}))).statusCode, 403)

  const other = await as({ scope: 'send', sub: 'another' })
  t.equal((await send(app, { ...EXAMPLE, micro_op: 'push_up' }, { ...other, 'idempotency-key': 'new' })).statusCode, 200, 'no key was left claimed')
  // The broker may answer before the device has anything: the last command shows that all before it have come.
  await device.count(2)
  t.strictSame(device.payloads, ['push_down', 'push_up'])
})

t.test('does not limit probes', async t => {
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '1/1d' })
  for (let n = 0; n < 3; n += 1) t.equal((await app.inject('/health/live')).headers['ratelimit-limit'], undefined)
})

t.test('lets a caller send again when its window is over', async t => {
  const app = await startApp(t, { ...NOWHERE, RATE_LIMIT_CALLER: '1/1s' })
  await send(app)
  t.equal((await send(app)).headers['retry-after'], '1')
  await askUntil(async () => (await send(app)).statusCode === 406)
})

t.test('answers 429 instead of 401 after a thousand bad tokens from one address, and lets every valid token pass', async t => {
  const app = await startApp(t, { ...NOWHERE, TRUST_PROXY: '10.0.0.0/8' })
  const bad = await token({ sub: '' })
  const attempt = (authorization: string | undefined, address: string) => app.inject({
    method: 'POST',
    url: '/messaging/send',
    remoteAddress: '10.0.0.1',
    headers: { ...(authorization !== undefined && { authorization }), 'x-forwarded-for': address, 'content-type': 'application/json' },
    payload: JSON.stringify(EXAMPLE)
  })
  const statuses = new Set<number>()
  for (let n = 0; n < 1000; n += 1) statuses.add((await attempt(`Bearer ${bad}`, '192.0.2.1')).statusCode)
  t.strictSame([...statuses], [401])

  const refused = await attempt(`Bearer ${bad}`, '192.0.2.1')
  t.equal(refused.statusCode, 429)
  t.strictSame(refused.json(), refusal('Too many requests from this address had no valid token; nothing was published'))
  t.ok(Number(refused.headers['retry-after']) >= 1 && Number(refused.headers['retry-after']) <= 60)
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="messenger", error="invalid_token", error_description="The sub of the access token names nobody"')
  t.equal((await attempt(undefined, '192.0.2.1')).statusCode, 429, 'no token is no valid one')
  t.equal((await attempt('Bearer a b', '192.0.2.1')).statusCode, 400, 'only the 401 is replaced')
  t.equal((await attempt(`Bearer ${await token()}`, '192.0.2.1')).statusCode, 406, `a valid token passes, for ${IMEI}`)
  t.equal((await attempt(`Bearer ${bad}`, '192.0.2.2')).statusCode, 401, 'other addresses have their own')
})
