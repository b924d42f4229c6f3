import { createHmac } from 'node:crypto'
import type { Rules } from './rules.js'

/** What a token is worth: its claims, or none; `debatable` where the standards let a server choose. */
export interface Verdict {
  readonly is: 'valid' | 'invalid' | 'debatable'
  readonly claims: Readonly<Record<string, unknown>>
}

const INVALID: Verdict = { is: 'invalid', claims: {} }

/** Seconds by which clocks may be apart, and on top of it those which a run may take to come to a token. */
const TOLERANCE_S = 5
const MARGIN_S = 30

/** Judges a token as RFC 7515, 7519 and 9068 do, for a server with one HS256 secret. */
export function judgeToken (token: string, rules: Rules, nowS: number): Verdict {
  const segments = token.split('.')
  const [head = '', payload = '', signature = ''] = segments
  if (segments.length !== 3 || !segments.every(segment => /^[\w-]+$/.test(segment))) return INVALID
  const header = readObject(head)
  const claims = readObject(payload)
  if (header === undefined || claims === undefined || header.alg !== 'HS256') return INVALID
  const mac = createHmac('sha256', rules.secret).update(`${head}.${payload}`).digest()
  if (!mac.equals(Buffer.from(signature, 'base64url'))) return INVALID
  // No extension is understood (RFC 7515, section 4.1.11). Of what is no list at all, nothing is said.
  if (Array.isArray(header.crit)) return INVALID

  const dates = [judgeDate(claims.exp, exp => exp - nowS), claims.nbf === undefined ? 'valid' : judgeDate(claims.nbf, nbf => nowS - nbf)]
  if (dates.includes('invalid') || !isFor(claims, rules)) return INVALID
  // Bits that mean nothing (RFC 4648, section 3.5), and claims that nothing depends on.
  const isOdd = 'crit' in header || segments.some(segment => Buffer.from(segment, 'base64url').toString('base64url') !== segment) ||
    (claims.iat !== undefined && typeof claims.iat !== 'number') ||
    ['jti', 'iss', 'aud'].some(name => claims[name] !== undefined && typeof claims[name] !== 'string' && !isStrings(claims[name]))
  return { is: isOdd || dates.includes('debatable') ? 'debatable' : 'valid', claims }
}

/** Whether a token names its owner, and the issuer and audience that the server wants. */
function isFor ({ sub, iss, aud }: Readonly<Record<string, unknown>>, rules: Rules): boolean {
  if (typeof sub !== 'string' || sub === '') return false
  if (rules.issuer !== undefined && iss !== rules.issuer) return false
  return rules.audience === undefined || aud === rules.audience || (isStrings(aud) && aud.includes(rules.audience))
}

/** Whether claims have the scope that the server wants, as one string or as a list. */
export function grantsScope (claims: Readonly<Record<string, unknown>>, { scope }: Rules): boolean {
  if (scope === undefined) return true
  return [claims.scope, claims.scp].some(granted => (typeof granted === 'string' ? granted.split(' ') : isStrings(granted) ? granted : []).includes(scope))
}

/** @param left seconds that it is on the right side of now */
function judgeDate (value: unknown, left: (seconds: number) => number): Verdict['is'] {
  if (typeof value !== 'number') return 'invalid'
  const seconds = left(value) + TOLERANCE_S
  if (Math.abs(seconds) <= MARGIN_S) return 'debatable'
  return seconds > 0 ? 'valid' : 'invalid'
}

function isStrings (value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string')
}

function readObject (segment: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}
