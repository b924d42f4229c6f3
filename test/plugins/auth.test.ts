import { createHmac, createSign, generateKeyPairSync, sign as signWith, type KeyObject } from 'node:crypto'
import t from 'tap'
import { createFakeClock } from '../helpers/fake-clock.js'
import { EXAMPLE, SECRET, send, startApp, token, TOPIC } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { subscribe } from '../helpers/subscriber.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const inTenMinutes = () => Math.floor(Date.now() / 1000) + 600
const base64url = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const toPem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()

/** A JWS of any header and payload, signed as told. */
function jws (header: object, payload: unknown, signer: (input: string) => Buffer | string): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  const signature = signer(input)
  return `${input}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`
}
const hs = (algorithm: string, secret: string) => (input: string) => createHmac(algorithm, secret).update(input).digest()
const hs256 = (payload: unknown, header: object = { alg: 'HS256' }, secret = SECRET) => jws(header, payload, hs('sha256', secret))
const claims = (more: object = {}) => ({ sub: 'tester', exp: inTenMinutes(), ...more })

t.test('asks for a token, without an error, where none was sent', async t => {
  const app = await startApp(t, NOWHERE)
  for (const authorization of ['', 'Basic dXNlcjpwYXNz', 'bearertoken']) {
    const response = await send(app, EXAMPLE, { authorization })
    t.equal(response.statusCode, 401)
    t.equal(response.headers['www-authenticate'], 'Bearer realm="messenger"')
    t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.strictSame(response.json(), {
      title: 'Token missing', status: 401, code: 'token_missing', detail: 'Send an access token in the Authorization header: Bearer <token>'
    })
  }
})

t.test('answers 400 to a malformed Authorization header', async t => {
  const app = await startApp(t, NOWHERE)
  for (const authorization of ['Bearer', 'Bearer a b', 'Bearer "a"', 'bearer =', 'Bearer a,b']) {
    const response = await send(app, EXAMPLE, { authorization })
    t.equal(response.statusCode, 400, authorization)
    t.equal(response.headers['www-authenticate'], 'Bearer realm="messenger", error="invalid_request"')
    t.equal(response.json().code, 'invalid_request')
  }
})

t.test('answers 401 to every bad token, and nothing is published', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startApp(t, { MQTT_URL: broker.url })
  await app.mqtt.whenConnected()
  const good = await token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const bad: Record<string, [string, string]> = {
    'no JWT': ['abc', 'The access token is not a JWT'],
    'two parts': [`${header}.${payload}`, 'The access token is not a JWT'],
    'no signature': [`${header}.${payload}.`, 'The access token is not signed'],
    'another signature': [`${header}.${payload}.${signature.replace(/^./, c => c === 'A' ? 'B' : 'A')}`, 'The signature of the access token is wrong'],
    'another secret': [hs256(claims(), { alg: 'HS256' }, 'x'.repeat(40)), 'The signature of the access token is wrong'],
    'alg none': [jws({ alg: 'none' }, claims(), () => ''), 'The access token is not signed'],
    'alg none, signed': [hs256(claims(), { alg: 'none' }), 'The access token is signed with an algorithm that is not accepted'],
    'alg HS512': [jws({ alg: 'HS512' }, claims(), hs('sha512', SECRET)), 'The access token is signed with an algorithm that is not accepted'],
    'alg missing': [hs256(claims(), {}), 'The access token is signed with an algorithm that is not accepted'],
    'alg no string': [hs256(claims(), { alg: { toString: 'HS256' } }), 'The access token is signed with an algorithm that is not accepted'],
    'unknown crit': [hs256(claims(), { alg: 'HS256', crit: ['b64'], b64: false }), 'The access token is not valid'],
    'no sub': [hs256({ exp: inTenMinutes() }), 'The access token lacks a claim that is required'],
    'empty sub': [hs256(claims({ sub: '' })), 'The sub of the access token names nobody'],
    'sub no string': [hs256(claims({ sub: 7 })), 'The sub of the access token names nobody'],
    'iss an array': [hs256(claims({ iss: ['https://issuer.example'] })), 'The iss of the access token is not a text'],
    'iss an object': [hs256(claims({ iss: { a: 1 } })), 'The iss of the access token is not a text'],
    'iss so deep that it cannot be written': [jws({ alg: 'HS256' }, `{"sub":"a","exp":${inTenMinutes()},"iss":${'['.repeat(5_500)}${']'.repeat(5_500)}}`, hs('sha256', SECRET)), 'The iss of the access token is not a text'],
    'exp beyond all numbers': [jws({ alg: 'HS256' }, '{"sub":"a","exp":1e400}', hs('sha256', SECRET)), 'The access token has a claim with a value that is not accepted'],
    'no exp': [hs256({ sub: 'tester' }), 'The access token lacks a claim that is required'],
    'exp a string': [hs256(claims({ exp: '9999999999' })), 'The access token has a claim of the wrong type'],
    'exp an array': [hs256(claims({ exp: [inTenMinutes()] })), 'The access token has a claim with a value that is not accepted'],
    'exp null': [hs256(claims({ exp: null })), 'The access token has a claim of the wrong type'],
    expired: [hs256(claims({ exp: Math.floor(Date.now() / 1000) - 10 })), 'The access token has expired'],
    'nbf to come': [hs256(claims({ nbf: inTenMinutes() })), 'The access token is not valid yet'],
    'nbf beyond all dates': [hs256(claims({ nbf: 1e300 })), 'The access token is not valid'],
    'nbf a string': [hs256(claims({ nbf: 'now' })), 'The access token has a claim of the wrong type'],
    'payload an array': [hs256([]), 'The access token is not a JWT'],
    'payload a string': [jws({ alg: 'HS256' }, '"text"', hs('sha256', SECRET)), 'The access token is not a JWT'],
    'payload no JSON': [jws({ alg: 'HS256' }, 'nonsense', hs('sha256', SECRET)), 'The access token is not a JWT']
  }
  for (const [name, [bearer, why]] of Object.entries(bad)) {
    const response = await send(app, EXAMPLE, { authorization: `Bearer ${bearer}` })
    t.equal(response.statusCode, 401, name)
    t.equal(response.json().detail, why, name)
    t.equal(response.headers['www-authenticate'], `Bearer realm="messenger", error="invalid_token", error_description="${why}"`, name)
  }
  await send(app)
  await device.count(1)
  t.equal(device.received.length, 1, 'only the command with a good token')
})

t.test('accepts exp and nbf that are off by less than the tolerance of 5 s', async t => {
  const app = await startApp(t, NOWHERE)
  const nowS = Math.floor(Date.now() / 1000)
  for (const more of [{ exp: nowS - 2 }, { nbf: nowS + 3 }]) {
    t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${hs256(claims(more))}` })).statusCode, 406)
  }
})

t.test('requires iss and aud where they are configured, and ignores them where not', async t => {
  const strict = await startApp(t, { ...NOWHERE, JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'messenger' })
  const open = await startApp(t, NOWHERE)
  const right = { iss: 'https://issuer.example', aud: ['other', 'messenger'] }
  const cases: Array<[object, number]> = [
    [right, 406], [{ ...right, aud: 'messenger' }, 406], [{}, 401], [{ iss: right.iss }, 401], [{ aud: right.aud }, 401],
    [{ ...right, iss: 'https://other.example' }, 401], [{ ...right, aud: 'messenger2' }, 401], [{ ...right, aud: [] }, 401]
  ]
  for (const [more, status] of cases) {
    const authorization = `Bearer ${hs256(claims(more))}`
    t.equal((await send(strict, EXAMPLE, { authorization })).statusCode, status, JSON.stringify(more))
    t.equal((await send(open, EXAMPLE, { authorization })).statusCode, 406, JSON.stringify(more))
  }
})

t.test('accepts each kind of key with its own algorithms only', async t => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const ed = generateKeyPairSync('ed25519')
  const pss = { padding: 6, saltLength: 32 }
  const ecdsa = (hash: string, key: KeyObject) => (input: string) => createSign(hash).update(input).sign({ key, dsaEncoding: 'ieee-p1363' })
  const signed: Record<string, string> = {
    RS256: jws({ alg: 'RS256' }, claims(), input => createSign('sha256').update(input).sign(rsa.privateKey)),
    PS256: jws({ alg: 'PS256' }, claims(), input => createSign('sha256').update(input).sign({ key: rsa.privateKey, ...pss })),
    ES256: jws({ alg: 'ES256' }, claims(), ecdsa('sha256', p256.privateKey)),
    ES384: jws({ alg: 'ES384' }, claims(), ecdsa('sha384', p384.privateKey)),
    ES512: jws({ alg: 'ES512' }, claims(), ecdsa('sha512', p521.privateKey)),
    EdDSA: jws({ alg: 'EdDSA' }, claims(), input => signWith(null, Buffer.from(input), ed.privateKey))
  }
  const accepts: Array<[KeyObject, string[]]> = [
    [rsa.publicKey, ['RS256', 'PS256']], [p256.publicKey, ['ES256']], [p384.publicKey, ['ES384']],
    [p521.publicKey, ['ES512']], [ed.publicKey, ['EdDSA']]
  ]
  for (const [key, algorithms] of accepts) {
    const app = await startApp(t, { ...NOWHERE, JWT_SECRET: '', JWT_PUBLIC_KEY: toPem(key) })
    for (const [name, bearer] of Object.entries(signed)) {
      const response = await send(app, EXAMPLE, { authorization: `Bearer ${bearer}` })
      t.equal(response.statusCode, algorithms.includes(name) ? 406 : 401, `${name} with ${algorithms.join()}`)
    }
    const confused = hs256(claims(), { alg: 'HS256' }, toPem(key))
    t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${confused}` })).statusCode, 401, 'the public key as an HMAC secret')
    const rs512 = jws({ alg: 'RS512' }, claims(), input => createSign('sha512').update(input).sign(rsa.privateKey))
    t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${rs512}` })).statusCode, 401, 'an algorithm the key is not pinned to')
  }
})

t.test('accepts the tokens of several keys at once, for a rotation', async t => {
  const [old, next, foreign] = [0, 1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const ed = generateKeyPairSync('ed25519')
  if (old === undefined || next === undefined || foreign === undefined) throw new Error('unreachable')
  const pems = [old.publicKey, next.publicKey, ed.publicKey].map(toPem).join('\n')
  const app = await startApp(t, { ...NOWHERE, JWT_SECRET: '', JWT_PUBLIC_KEY: pems })
  const es256 = (key: KeyObject, more: object = {}) =>
    jws({ alg: 'ES256' }, claims(more), input => createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' }))
  const answer = async (bearer: string) => {
    const response = await send(app, EXAMPLE, { authorization: `Bearer ${bearer}` })
    return [response.statusCode, response.json().detail]
  }
  t.strictSame(await answer(es256(old.privateKey)), [406, 'Somthing went wrong'])
  t.strictSame(await answer(es256(next.privateKey)), [406, 'Somthing went wrong'])
  t.strictSame(await answer(jws({ alg: 'EdDSA' }, claims(), input => signWith(null, Buffer.from(input), ed.privateKey))), [406, 'Somthing went wrong'])
  t.strictSame(await answer(es256(foreign.privateKey)), [401, 'The signature of the access token is wrong'])
  t.strictSame(await answer(es256(next.privateKey, { exp: 1 })), [401, 'The access token has expired'], 'what the right key says')
})

t.test('refuses a remembered token once it has expired', async t => {
  const { clock, advance } = createFakeClock(Date.now())
  const app = await startApp(t, NOWHERE, { clock })
  const authorization = `Bearer ${await token()}`
  t.equal((await send(app, EXAMPLE, { authorization })).statusCode, 406)
  advance(604_000)
  t.equal((await send(app, EXAMPLE, { authorization })).statusCode, 406, 'within the tolerance')
  advance(2_000)
  const response = await send(app, EXAMPLE, { authorization })
  t.equal(response.statusCode, 401)
  t.equal(response.json().detail, 'The access token has expired')
})

t.test('decides from the header alone, before it reads the body', async t => {
  const app = await startApp(t, NOWHERE)
  const response = await send(app, 'x'.repeat(20_000), { authorization: 'Bearer nonsense', 'content-type': 'text/plain' })
  t.equal(response.statusCode, 401)
})

t.test('publishes for a valid token', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, TOPIC)
  const app = await startApp(t, { MQTT_URL: broker.url })
  await app.mqtt.whenConnected()
  t.equal((await send(app, EXAMPLE, { authorization: `bEaReR   ${await token()}` })).statusCode, 200)
  await device.count(1)
})
