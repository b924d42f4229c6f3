import { createHmac } from 'node:crypto'
import fc, { type Arbitrary } from 'fast-check'
import { latin1, type Lines } from './lines.js'
import type { Rules } from '../model/rules.js'

/** Header and payload of a token, before they are signed. */
interface Parts {
  readonly header: unknown
  readonly payload: unknown
}

const HASHES: Readonly<Record<string, string>> = { HS384: 'sha384', HS512: 'sha512' }

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : String(JSON.stringify(value))).toString('base64url')

/** Signs with the hash that the header names, where there is one. */
function sign ({ header, payload }: Parts, secret: string): string {
  const alg = typeof header === 'object' && header !== null && 'alg' in header ? String(header.alg) : ''
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(HASHES[alg] ?? 'sha256', secret).update(input).digest('base64url')}`
}

/** Different values that a run has for claims and header parameters. */
const JSON_VALUES = 60

const ALGORITHMS = ['none', 'None', 'nOnE', '', 'HS384', 'HS512', 'hs256', 'HS256 ', 'RS256', 'PS256', 'ES256', 'EdDSA', 'A128KW']

/**
 * Tokens of every sort. The valid ones of a run are bounded, so that the server soon remembers all of
 * them, and its memory can be compared.
 * @param seed which values a run has
 */
export function createTokens (rules: Rules, nowS: number, seed: number) {
  // Not too deep: how deep JSON may go, the bodies try.
  const json = fc.constantFrom(...fc.sample(fc.jsonValue({ maxDepth: 2 }), { seed, numRuns: JSON_VALUES }))
  const claims = { sub: 'fuzz', exp: nowS + 86_400, ...(rules.issuer !== undefined && { iss: rules.issuer }), ...(rules.audience !== undefined && { aud: rules.audience }) }
  const scoped = { ...claims, ...(rules.scope !== undefined && { scope: rules.scope }) }
  const header = { alg: 'HS256', typ: 'JWT' }
  const signed = (parts: Parts) => sign(parts, rules.secret)

  const valid = fc.record({
    header: fc.constantFrom({}, { typ: 'at+jwt' }, { kid: 'one' }, { typ: undefined }, { jku: 'https://keys.example' }, { jwk: { kty: 'oct', k: 'AA' } }),
    payload: fc.constantFrom({}, { sub: 'ü' }, { nbf: nowS - 3600 }, { iat: nowS, jti: 'a' }, { exp: 4e9 }, { exp: nowS + 86_400.5 }, { aud: ['other', rules.audience ?? 'any'] }, { constructor: 1 })
  }).map(changes => signed({ header: { ...header, ...changes.header }, payload: { ...scoped, ...changes.payload } }))

  /** Valid, but for another scope, or for none. */
  const unscoped = fc.oneof(
    fc.constantFrom({}, { scope: '' }, { scope: 'messaging:sender' }, { scope: 'messaging:send2 messaging' }, { scope: null }, { scp: {} }, { scp: ['other'] }, { scope: 'x', scp: ['messaging:send'] }, { scp: 'a messaging:send' }),
    fc.record({ scope: json })
  ).map(payload => signed({ header, payload: { ...claims, ...payload } }))

  const oneClaim = fc.tuple(fc.constantFrom('exp', 'nbf', 'iat', 'sub', 'iss', 'aud', 'scope', 'jti', '__proto__'), fc.oneof(
    json, fc.constantFrom(nowS - 3600, nowS + 3600, String(nowS + 3600), -1, 0, 1e300, 8.64e15, undefined, '', [], {}, 'fuzz', ['messenger'], ['fuzz', 1], nowS * 1000)
  )).map(([name, value]) => signed({ header, payload: Object.fromEntries([...Object.entries(scoped).filter(([other]) => other !== name), [name, value]]) }))
  const oneParameter = fc.oneof(
    fc.tuple(fc.constantFrom('typ', 'kid', 'crit', 'cty', 'zip', 'b64', 'jku', 'x5u', 'x5c', 'enc', 'alg'), fc.oneof(json, fc.constantFrom(['exp'], ['b64'], [], ['x'], 'JWT', 'JWE', 'DEF', false, '../../etc/passwd', "' OR 1=1"))),
    fc.tuple(fc.constant('alg'), fc.constantFrom(...ALGORITHMS))
  ).map(([name, value]) => signed({ header: { ...header, [name]: value }, payload: scoped }))
  const noObject = fc.tuple(fc.constantFrom('header', 'payload'), fc.oneof(json, fc.string(), fc.constantFrom('{', '[]', 'null', '\u{feff}{}', '{"exp":1e999}', '[{"alg":"HS256"}]')))
    .map(([part, value]) => signed({ header, payload: scoped, [part]: value }))
  const foreign = fc.constantFrom('', 'another secret, of more than 32 bytes in all', rules.secret.toUpperCase(), `${rules.secret}\0`).map(secret => sign({ header, payload: scoped }, secret))
  const nested = valid.map(inner => signed({ header: { ...header, cty: 'JWT' }, payload: inner }))
  const long = fc.integer({ min: 1_000, max: 9_000 }).map(length => signed({ header, payload: { ...scoped, exp: nowS - 60, padding: 'x'.repeat(length) } }))
  const junk = fc.oneof(latin1, fc.base64String(), fc.string({ unit: fc.constantFrom(...'.AZaz09-_~+/=') }), fc.constantFrom('.', '..', '...', 'e30.e30.', 'null', 'undefined'))

  const changed = fc.tuple(valid, fc.nat(), fc.constantFrom<(text: string, at: number) => string>(
    (text, at) => replaceAt(text, at, 1, text[at] === 'A' ? 'B' : 'A'),
  (text, at) => replaceAt(text, at, 1, ''),
  (text, at) => replaceAt(text, at, 0, '='),
  (text, at) => replaceAt(text, at, 0, '~'),
  (text, at) => replaceAt(text, at, 0, '\xa0'),
  (text, at) => replaceAt(text, at, 1, ' '),
  (text, at) => text.slice(0, at),
  text => text.replace(/[^.]$/, last => String.fromCharCode(last.charCodeAt(0) ^ 1)),
  text => text.replaceAll('-', '+').replaceAll('_', '/'),
  text => `${text}=`,
  text => `${text}.`,
  text => `${text}.${text}`,
  text => `.${text}`,
  text => text.replace(/[^.]+$/, ''),
  text => text.split('.').reverse().join('.')
  )).map(([token, at, change]) => change(token, at % token.length))

  return {
    valid,
    unscoped,
    /** Anything, seldom valid. */
    any: fc.oneof(oneClaim, oneParameter, changed, noObject, foreign, nested, long, junk)
  }
}

function replaceAt (text: string, at: number, length: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + length)
}

/** Around a token: the lines of Authorization, and others where it does not belong. */
export function createAuthorization (token: Arbitrary<string>): Arbitrary<Lines> {
  const line = fc.tuple(fc.constantFrom('Authorization', 'authorization', 'AUTHORIZATION'), fc.tuple(token, fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<(text: string) => string>(text => `Bearer ${text}`, text => `bearer ${text}`, text => `BEARER   ${text}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<(text: string) => string>(
        text => text, text => `Bearer${text}`, text => `Bearer\t${text}`, text => `Bearer "${text}"`, text => `Basic ${text}`, text => `Bearer ${text}, Bearer ${text}`,
      text => `Bearer Bearer ${text}`, () => 'Bearer', () => '', text => `\xa0Bearer ${text}`, text => `Bearer ${text}\xa0`, text => `Token ${text}`, text => `Bearer=${text}`, text => `Bearer ${text} x`
      )
    }
  )).map(([text, wrap]) => wrap(text)))
  return fc.oneof(
    { weight: 12, arbitrary: line.map((one): Lines => [one]) },
    { weight: 1, arbitrary: fc.constant<Lines>([]) },
    { weight: 1, arbitrary: fc.array(line, { minLength: 2, maxLength: 3 }).map((lines): Lines => lines) },
    { weight: 1, arbitrary: token.map((text): Lines => [['Cookie', `access_token=${text}`], ['Proxy-Authorization', `Bearer ${text}`], ['X-Authorization', `Bearer ${text}`]]) }
  )
}
