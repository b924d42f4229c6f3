import { readCommand, type Command } from './body.js'
import { valuesOf, type Request } from './http.js'
import { findRoute } from './route.js'
import type { Rules } from './rules.js'
import { grantsScope, judgeToken } from './token.js'

/** How far a request gets, in this order. */
export const LAYERS = ['parser', 'route', 'auth', 'media type', 'size', 'body', 'key', 'scope', 'outcome', 'public'] as const
export type Layer = typeof LAYERS[number]

/** What a request must be answered with. */
export interface Expectation {
  /** The layer that answers it; where several may, the last one. */
  readonly layer: Layer
  /** `status code` of each answer that is right; of a success the status alone. */
  readonly answers: ReadonlySet<string>
  /** Whether the connection may end without an answer. */
  readonly maySayNothing: boolean
  /** What a 200 publishes. */
  readonly command?: Command
  /** Names its `Idempotency-Key` with its owner. */
  readonly key?: string
  /** Methods that a 405 has to name. */
  readonly allow?: readonly string[]
}

/** A check: nothing wrong, or the right answers, and whether one of them is certain. */
type Check = undefined | { readonly answers: readonly string[], readonly isCertain: boolean }

const MALFORMED = '400 malformed_request'

const certainly = (...answers: string[]): Check => ({ answers, isCertain: true })
const perhaps = (...answers: string[]): Check => ({ answers, isCertain: false })

/** The right answers to a request, by the contract's order of precedence. */
export function expectAnswer (request: Request, rules: Rules, nowS: number): Expectation {
  const answers = new Set<string>()
  const maySayNothing = request.body === undefined
  const { token, check: authorization } = checkAuthorization(request, rules, nowS)
  const asked = request.body === undefined ? [] : readCommand(request.body, rules)
  const command = 'imei' in asked ? asked : undefined
  const { key, check: keyCheck } = checkKey(request)
  const route = findRoute(request.method, request.target, rules)

  const isStopped = (check: Check): boolean => {
    for (const answer of check?.answers ?? []) answers.add(answer)
    return check?.isCertain === true
  }
  // Where the parser meets what is broken while a request is under way, either of them answers.
  if (maySayNothing) isStopped(perhaps(MALFORMED, '408 request_timeout', '413 payload_too_large'))
  const stop = (layer: Layer): Expectation => ({ layer, answers, maySayNothing })

  if (isStopped(checkHost(request))) return stop('parser')
  if (route.to === 'nowhere') {
    isStopped(certainly(...route.answers))
    return { ...stop('route'), ...(route.allow !== undefined && { allow: route.allow }) }
  }
  if (route.to === 'public') {
    answers.add('200')
    return stop('public')
  }
  if (isStopped(authorization)) return stop('auth')
  if (isStopped(checkMediaType(request))) return stop('media type')
  if (request.body === undefined) return stop('body')
  if (request.body.length > 16 * 1024) {
    answers.add('413 payload_too_large')
    return stop('size')
  }
  if (command === undefined && isStopped(certainly(...asked as readonly string[]))) return stop('body')
  if (isStopped(keyCheck)) return stop('key')
  if (!grantsScope(token, rules)) {
    answers.add('403 insufficient_scope')
    return stop('scope')
  }
  answers.add('200')
  if (key === undefined) return { ...stop('outcome'), ...(command !== undefined && { command }) }
  for (const answer of ['409 idempotency_key_in_use', '422 idempotency_key_reused']) answers.add(answer)
  return { ...stop('outcome'), ...(command !== undefined && { command }), key: JSON.stringify([token.iss, token.sub, key]) }
}

/** RFC 9112, section 3.2. */
function checkHost (request: Request): Check {
  const hosts = valuesOf(request, 'host')
  if (hosts.length > 1 || (hosts.length === 0 && request.version === '1.1')) return certainly(MALFORMED)
  // What else a host may not have, servers mostly leave to those who read it.
  return hosts.every(host => /^[\w.:[\]-]*$/.test(host)) ? undefined : perhaps(MALFORMED)
}

/** RFC 6750, sections 2.1 and 3.1. */
function checkAuthorization (request: Request, rules: Rules, nowS: number): { token: Readonly<Record<string, unknown>>, check: Check } {
  const [value, ...others] = valuesOf(request, 'authorization')
  const refuse = (check: Check) => ({ token: {}, check })
  if (others.length > 0) return refuse(certainly('400 invalid_request'))
  const [scheme = '', credentials = ''] = (value ?? '').split(/ +(.*)/)
  if (scheme.toLowerCase() !== 'bearer') return refuse(certainly('401 token_missing'))
  if (!/^[\w.~+/-]+=*$/.test(credentials)) return refuse(certainly('400 invalid_request'))
  const { is, claims } = judgeToken(credentials, rules, nowS)
  if (is === 'invalid') return refuse(certainly('401 invalid_token'))
  return { token: claims, check: is === 'debatable' ? perhaps('401 invalid_token') : undefined }
}

const UNSUPPORTED = '415 unsupported_media_type'

function checkMediaType (request: Request): Check {
  const encodings = valuesOf(request, 'content-encoding').join(', ')
  if (valuesOf(request, 'content-encoding').length > 0 && encodings.toLowerCase() !== 'identity') return certainly(UNSUPPORTED)
  const [type, ...others] = valuesOf(request, 'content-type')
  // Without a body nothing is of the wrong type.
  if (type === undefined) return request.body === '' ? certainly(UNSUPPORTED, '400 invalid_body') : certainly(UNSUPPORTED)
  const [name = '', ...parameters] = type.split(';')
  if (name.trim().toLowerCase() !== 'application/json') return others.length === 0 ? certainly(UNSUPPORTED) : perhaps(UNSUPPORTED)
  const isPlain = others.length === 0 && parameters.every(parameter => /^ *[\w-]+=([\w-]+|"[\w -]*")$/.test(parameter))
  return isPlain ? undefined : perhaps(UNSUPPORTED)
}

/** draft-ietf-httpapi-idempotency-key-header: one key, quoted or bare, of 1-255 visible ASCII characters. */
function checkKey (request: Request): { key: string | undefined, check: Check } {
  const values = valuesOf(request, 'idempotency-key')
  if (values.length === 0) return { key: undefined, check: undefined }
  const text = values.join(', ')
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1]
  const key = text.startsWith('"') ? quoted?.replace(/\\(.)/g, '$1') : text
  return key === undefined || !/^[!-~]{1,255}$/.test(key)
    ? { key, check: certainly('400 invalid_idempotency_key') }
    : { key, check: undefined }
}
