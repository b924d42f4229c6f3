import { ProblemError } from '../errors.js'
import { isRepeated } from '../raw-headers.js'

/** What a challenge says beside its realm (RFC 6750, section 3). */
interface ChallengeParameters {
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  readonly error_description?: string
  readonly scope?: string
}

/**
 * A value that is for us, and one that is as it should be, with a b64token (RFC 6750, section 2.1). Around it are blanks as
 * RFC 9110, section 5.6.3, has them: what else looks like one belongs to the value. Each begins at the first character: a search
 * that may begin at every one takes half a second for a header of blanks, before the caller is known.
 */
const FOR_US = /^[ \t]*bearer(?: |[ \t]*$)/i
const BEARER = /^[ \t]*bearer +([A-Za-z0-9._~+/-]+=*)[ \t]*$/i

/**
 * Takes the token out of an Authorization header.
 * @throws {ProblemError} `token_missing` (401) where there is none, `invalid_request` (400) where it is malformed
 */
export function readBearerToken (authorization = ''): string {
  const token = BEARER.exec(authorization)?.[1]
  if (token !== undefined) return token
  // No `error` where no token was sent: RFC 6750, section 3.1.
  if (!FOR_US.test(authorization)) throw new ProblemError('token_missing', { headers: challenge() })
  throw new ProblemError('invalid_request', { headers: challenge({ error: 'invalid_request' }) })
}

/**
 * @param rawHeaders names and values in turn, as Node has them
 * @throws {ProblemError} `invalid_request` (400) where there are several Authorization headers (RFC 6750, section 2)
 */
export function assertOneAuthorization (rawHeaders: readonly string[]): void {
  if (!isRepeated(rawHeaders, 'authorization')) return
  throw new ProblemError('invalid_request', { detail: 'Send one Authorization header', headers: challenge({ error: 'invalid_request' }) })
}

/** A 401 that says why the token is not accepted; `why` is a fixed text without quotes, never a library's. */
export function invalidToken (why: string): ProblemError {
  return new ProblemError('invalid_token', {
    detail: why,
    headers: challenge({ error: 'invalid_token', error_description: why })
  })
}

/** A 403 that names the scope which the token lacks. */
export function insufficientScope (scope: string): ProblemError {
  return new ProblemError('insufficient_scope', {
    detail: `The access token lacks the scope ${scope}`,
    headers: challenge({ error: 'insufficient_scope', scope })
  })
}

/**
 * A 403 that names what the token lacks beside a scope. RFC 9396 has no error of its own for this:
 * `insufficient_scope` is the one that RFC 6750 has for a request beyond what the token allows, and no
 * `scope` stands with it, because to ask for one would not help.
 * @param why of visible ASCII and blanks, without quotes and backslashes: it stands in a header
 */
export function insufficientAuthorization (why: string): ProblemError {
  return new ProblemError('insufficient_authorization', {
    detail: why,
    headers: challenge({ error: 'insufficient_scope', error_description: why })
  })
}

function challenge (parameters?: ChallengeParameters): Record<string, string> {
  const all = { realm: 'messenger', ...parameters }
  return { 'www-authenticate': `Bearer ${Object.entries(all).map(([name, value]) => `${name}="${value}"`).join(', ')}` }
}
