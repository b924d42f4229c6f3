import t, { type Test } from 'tap'
import { EXAMPLE, send, startApp, type App } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { AUDIENCE, startIssuer, toJwk } from '../helpers/issuer.js'
import { ecdsa, hmac, jws, rsassa } from '../helpers/jws.js'
import { generateEc, generateRsa, toPem } from '../helpers/keys.js'
import { subscribe } from '../helpers/subscriber.js'

const NOT_JWT = 'The access token is not a JWT'
const NOT_VALID = 'The access token is not valid'
const UNSIGNED = 'The access token is not signed'
const SIGNATURE = 'The signature of the access token is wrong'
const ALGORITHM = 'The access token is signed with an algorithm that is not accepted'
const MISSING = 'The access token lacks a claim that is required'
const VALUE = 'The access token has a claim with a value that is not accepted'
const TYPE = 'The access token has a claim of the wrong type'
const UNPUBLISHED = 'The access token is signed with a key that its issuer does not publish'
const NOBODY = 'The sub of the access token names nobody'

const ec = generateEc()
const rsa = generateRsa()
const foreign = generateEc()
const foreignRsa = generateRsa()
const es256 = ecdsa(ec.privateKey)
const inAnHour = Math.floor(Date.now() / 1000) + 3_600

/** Of each bad token: itself, why it is refused where its key is set, and where its key is fetched, if that is another reason. */
type BadTokens = Readonly<Record<string, readonly [token: string, why: string, whyOfSet?: string]>>

/** Every way of RFC 6750, 7515, 7519, 8725 and 9068 in which a token of this issuer can be bad. */
function makeBadTokens (iss: string): BadTokens {
  const good = { iss, aud: AUDIENCE, sub: 'tester', exp: inAnHour }
  const header = { alg: 'ES256', kid: 'ec', typ: 'at+jwt' }
  const signed = (claims: object, more: object = {}) => jws({ ...header, ...more }, { ...good, ...claims }, es256)
  const without = (name: keyof typeof good) => jws(header, Object.fromEntries(Object.entries(good).filter(([key]) => key !== name)), es256)
  const withAlg = (alg: unknown, sign: Parameters<typeof jws>[2] = () => '', kid = 'ec') => jws({ ...header, alg, kid }, good, sign)
  const [first = '', second = '', third = ''] = signed({}).split('.')
  const ecJwk = JSON.stringify(toJwk(ec.publicKey, { kid: 'ec' }))
  const none = Object.fromEntries(['none', 'None', 'NONE', 'nOnE', 'none ', ''].flatMap(alg => [
    [`alg "${alg}", unsigned`, [withAlg(alg), UNSIGNED, ALGORITHM] as const],
    [`alg "${alg}", signed`, [withAlg(alg, es256), ALGORITHM] as const]
  ]))
  return {
    ...none,
    // Key confusion: what verifies must never serve as a secret (RFC 8725, section 2.1).
    'the PEM as an HMAC secret': [withAlg('HS256', hmac('sha256', toPem(ec.publicKey))), ALGORITHM],
    'the PEM without its last line end as an HMAC secret': [withAlg('HS256', hmac('sha256', toPem(ec.publicKey).trim())), ALGORITHM],
    'the PEM of the RSA key as an HMAC secret': [withAlg('HS256', hmac('sha256', toPem(rsa.publicKey)), 'rsa'), ALGORITHM],
    'the JWK as an HMAC secret': [withAlg('HS256', hmac('sha256', ecJwk)), ALGORITHM],
    'an empty HMAC secret': [withAlg('HS256', hmac('sha256', '')), ALGORITHM],
    'another HMAC': [withAlg('HS512', hmac('sha512', toPem(ec.publicKey))), ALGORITHM],
    // The algorithm follows the key (RFC 8725, section 3.1).
    'an RSA algorithm for the EC key': [withAlg('RS256', rsassa(foreignRsa.privateKey)), SIGNATURE, UNPUBLISHED],
    'an EC algorithm for the RSA key': [withAlg('ES256', ecdsa(foreign.privateKey), 'rsa'), SIGNATURE, UNPUBLISHED],
    'an algorithm for another curve': [withAlg('ES384', ecdsa(ec.privateKey, 'sha384')), ALGORITHM, UNPUBLISHED],
    'a hash that is not accepted': [withAlg('RS512', rsassa(rsa.privateKey, 'sha512'), 'rsa'), ALGORITHM],
    'SHA-1': [withAlg('RS1', rsassa(rsa.privateKey, 'sha1'), 'rsa'), ALGORITHM],
    'alg in lower case': [withAlg('es256', es256), ALGORITHM],
    'alg missing': [jws({ kid: 'ec' }, good, es256), ALGORITHM],
    'alg an object': [withAlg({ toString: 'ES256' }, es256), ALGORITHM],
    'alg an array': [withAlg(['ES256'], es256), ALGORITHM],
    // Signatures.
    'no signature': [`${first}.${second}.`, UNSIGNED],
    'no signature and no dot': [`${first}.${second}`, NOT_JWT],
    'a signature of one byte less': [jws(header, good, input => es256(input).subarray(0, 63)), SIGNATURE],
    'a signature of one byte more': [jws(header, good, input => Buffer.concat([es256(input), Buffer.alloc(1)])), SIGNATURE],
    'a signature of two halves in DER': [jws(header, good, ecdsa(ec.privateKey, 'sha256', 'der')), SIGNATURE],
    'a signature of zeros': [jws(header, good, () => Buffer.alloc(64)), SIGNATURE],
    'a signature in standard base64': [jws(header, good, input => `${es256(input).toString('base64url').slice(0, -1)}+`), SIGNATURE],
    'another header': [`${Buffer.from('{"alg":"ES256","kid":"ec"}').toString('base64url')}.${second}.${third}`, SIGNATURE],
    'another payload': [`${first}.${Buffer.from(JSON.stringify({ ...good, sub: 'root' })).toString('base64url')}.${third}`, SIGNATURE],
    // Keys that the token brings along (RFC 8725, section 3.10).
    'an embedded jwk': [jws({ ...header, jwk: toJwk(foreign.publicKey, {}) }, good, ecdsa(foreign.privateKey)), SIGNATURE],
    'an embedded jwk alone': [jws({ alg: 'ES256', jwk: toJwk(foreign.publicKey, {}) }, good, ecdsa(foreign.privateKey)), SIGNATURE],
    'a jku': [jws({ ...header, jku: `${iss}/foreign` }, good, ecdsa(foreign.privateKey)), SIGNATURE],
    'an x5u': [jws({ ...header, x5u: `${iss}/foreign` }, good, ecdsa(foreign.privateKey)), SIGNATURE],
    'an x5c': [jws({ ...header, x5c: ['MIIB'] }, good, ecdsa(foreign.privateKey)), SIGNATURE],
    'a kid that is a path': [jws({ ...header, kid: '../../dev/null' }, good, ecdsa(foreign.privateKey)), SIGNATURE, UNPUBLISHED],
    'a kid of the prototype': [jws({ ...header, kid: '__proto__' }, good, ecdsa(foreign.privateKey)), SIGNATURE, UNPUBLISHED],
    'a kid that is a number': [jws({ ...header, kid: 7 }, good, ecdsa(foreign.privateKey)), SIGNATURE, 'The kid of the access token is not a string'],
    // Extensions that must be understood (RFC 7515, section 4.1.11).
    'an unknown crit': [signed({}, { crit: ['exp'], exp: 1 }), NOT_VALID],
    'crit b64': [signed({}, { crit: ['b64'], b64: false }), NOT_VALID],
    'an empty crit': [signed({}, { crit: [] }), NOT_VALID],
    'crit no array': [signed({}, { crit: 'exp' }), NOT_VALID],
    'crit null': [signed({}, { crit: null }), NOT_VALID],
    'crit false': [signed({}, { crit: false }), NOT_VALID],
    // What is not a JWS of a claims set at all.
    'a nested JWT': [jws({ ...header, cty: 'JWT' }, signed({}), es256), NOT_JWT],
    'an encrypted JWT': ['eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA', NOT_JWT],
    'four parts': [`${first}.${second}.${third}.`, NOT_JWT],
    'no dots': ['abc', NOT_JWT],
    'dots alone': ['..', NOT_JWT],
    'a header that is an array': [jws([], good, es256), NOT_JWT],
    'a header that is null': [jws(null, good, es256), NOT_JWT],
    'a header that is no JSON': [jws('nonsense', good, es256), NOT_JWT],
    'a payload that is an array': [jws(header, [], es256), NOT_JWT],
    'a payload that is a string': [jws(header, '"text"', es256), NOT_JWT],
    'a payload that is a number': [jws(header, 7, es256), NOT_JWT],
    'a payload that is null': [jws(header, null, es256), NOT_JWT],
    'a payload that is no JSON': [jws(header, 'nonsense', es256), NOT_JWT],
    'an empty payload': [jws(header, '', es256), NOT_JWT],
    'a claims set without claims': [jws(header, {}, es256), MISSING],
    // Claims (RFC 9068, section 4).
    'no exp': [without('exp'), MISSING],
    'no sub': [without('sub'), MISSING],
    'no iss': [without('iss'), MISSING],
    'no aud': [without('aud'), MISSING],
    expired: [signed({ exp: inAnHour - 3_700 }), 'The access token has expired'],
    'exp a string': [signed({ exp: String(inAnHour) }), TYPE],
    'exp null': [signed({ exp: null }), TYPE],
    'exp an object': [signed({ exp: {} }), TYPE],
    'exp an array': [signed({ exp: [inAnHour] }), VALUE],
    'exp negative': [signed({ exp: -1 }), 'The access token has expired'],
    'nbf in an hour': [signed({ nbf: inAnHour }), 'The access token is not valid yet'],
    'nbf in the far future': [signed({ nbf: 1e300 }), NOT_VALID],
    'nbf a string': [signed({ nbf: '0' }), TYPE],
    'another issuer': [signed({ iss: 'https://other.example' }), VALUE],
    'the issuer with a slash more': [signed({ iss: `${iss}/` }), VALUE],
    'the issuer in an array': [signed({ iss: [iss] }), VALUE],
    'another audience': [signed({ aud: 'other' }), VALUE],
    'the audience as a part': [signed({ aud: `${AUDIENCE}2` }), VALUE],
    'no audience in the array': [signed({ aud: [] }), VALUE],
    'an audience that is a number': [signed({ aud: 7 }), TYPE],
    'an empty sub': [signed({ sub: '' }), NOBODY],
    'sub a number': [signed({ sub: 7 }), NOBODY],
    'sub an object': [signed({ sub: {} }), NOBODY]
  }
}

/** Sends every bad token and compares the whole answers. */
async function refuseAll (t: Test, app: App, tokens: BadTokens, isSet: boolean) {
  for (const [name, [token, why, whyOfSet = why]] of Object.entries(tokens)) {
    const detail = isSet ? whyOfSet : why
    const { statusCode, headers, json } = await send(app, EXAMPLE, { authorization: `Bearer ${token}` })
    t.strictSame([statusCode, headers['www-authenticate'], headers['content-type'], json()], [
      401,
      `Bearer realm="messenger", error="invalid_token", error_description="${detail}"`,
      'application/problem+json; charset=utf-8',
      { title: 'Invalid token', status: 401, code: 'invalid_token', detail }
    ], name)
  }
}

t.test('answers 401 to every bad token, by keys that are set and by keys that are fetched, and publishes nothing', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const issuer = await startIssuer(t)
  issuer.state.keys = [toJwk(ec.publicKey, { kid: 'ec' }), toJwk(rsa.publicKey, { kid: 'rsa' })]
  const set = await startApp(t, { ...issuer.env, MQTT_URL: broker.url })
  const pems = { ...issuer.env, MQTT_URL: broker.url, JWT_JWKS_URL: '', JWT_PUBLIC_KEY: toPem(ec.publicKey) + toPem(rsa.publicKey) }
  const pem = await startApp(t, pems)
  const tokens = makeBadTokens(issuer.url)
  for (const [app, isSet] of [[pem, false], [set, true]] as const) {
    await app.mqtt.whenConnected()
    await refuseAll(t, app, tokens, isSet)
    const good = await issuer.sign(ec.privateKey, { alg: 'ES256', kid: 'ec' })
    t.equal((await send(app, EXAMPLE, { authorization: `Bearer ${good}` })).statusCode, 200, 'a good one')
  }
  await device.count(2)
  t.strictSame(device.payloads, ['push_down', 'push_down'], 'only the commands with a good token')
  t.equal(issuer.state.fetches, 1, 'and no key is fetched from where a token says')
})

t.test('answers 431 to a token that is too large for any header, before it is looked at', async t => {
  const issuer = await startIssuer(t)
  issuer.state.keys = [toJwk(ec.publicKey, { kid: 'ec' })]
  const app = await startApp(t, issuer.env)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const post = async (bytes: number) => {
    const token = jws({ alg: 'ES256', kid: 'ec' }, { iss: issuer.url, aud: AUDIENCE, sub: 'tester', exp: inAnHour, pad: 'x'.repeat(bytes) }, es256)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}/messaging/send`, { method: 'POST', headers, body: JSON.stringify(EXAMPLE) })
    return [response.status, await response.json()]
  }
  t.strictSame(await post(8_000), [406, { detail: 'Somthing went wrong' }])
  t.strictSame(await post(20_000), [431, {
    title: 'Header fields too large', status: 431, code: 'header_fields_too_large', detail: 'The header fields are too large together'
  }])
})
