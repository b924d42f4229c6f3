import type { Fault, Problem } from './schemas/problem.js'

/**
 * Every problem the messenger can answer, by its stable code (RFC 9457).
 * `detail` is what is said where the occasion has nothing better to say.
 */
export const catalogue = {
  malformed_request: { status: 400, title: 'Malformed request', detail: 'The request is not well-formed HTTP' },
  invalid_json: { status: 400, title: 'Invalid JSON', detail: 'The body is not JSON' },
  invalid_body: { status: 400, title: 'Invalid body', detail: 'The body does not fit its schema' },
  invalid_request: { status: 400, title: 'Malformed credentials', detail: 'The Authorization header must be: Bearer <token>' },
  invalid_idempotency_key: {
    status: 400,
    title: 'Malformed Idempotency-Key',
    detail: 'The Idempotency-Key header must be one key of 1-255 visible ASCII characters, bare or in quotes'
  },
  token_missing: { status: 401, title: 'Token missing', detail: 'Send an access token in the Authorization header: Bearer <token>' },
  invalid_token: { status: 401, title: 'Invalid token', detail: 'The access token is not valid' },
  insufficient_scope: { status: 403, title: 'Insufficient scope', detail: 'The access token lacks the scope this needs' },
  insufficient_authorization: {
    status: 403,
    title: 'Insufficient authorization',
    detail: 'The access token does not allow this command'
  },
  not_found: { status: 404, title: 'No such route', detail: 'There is nothing at this path; GET /openapi.json lists what there is' },
  no_subscriber: {
    status: 404,
    title: 'No subscriber',
    detail: 'The broker took the command, and nobody was subscribed to it: there is no device to answer'
  },
  method_not_allowed: { status: 405, title: 'Method not allowed', detail: 'This path takes other methods: see the Allow header' },
  request_timeout: { status: 408, title: 'Request timeout', detail: 'The request did not arrive in time' },
  idempotency_key_in_use: {
    status: 409,
    title: 'Idempotency-Key in use',
    detail: 'A request with this Idempotency-Key has not been answered yet; nothing was published for this one'
  },
  payload_too_large: { status: 413, title: 'Payload too large', detail: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type', detail: 'Send the body as Content-Type: application/json' },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key reused',
    detail: 'This Idempotency-Key was used for another command; nothing was published'
  },
  rate_limited: { status: 429, title: 'Too many requests', detail: 'There were too many requests; nothing was published' },
  header_fields_too_large: { status: 431, title: 'Header fields too large', detail: 'The header fields are too large together' },
  // As nginx has it. Nobody hears it: it is for the log.
  caller_gone: { status: 499, title: 'Caller gone', detail: 'The connection was closed before the command was published; nothing was published' },
  internal_error: { status: 500, title: 'Internal error', detail: 'The messenger failed; nothing was published' },
  broker_unavailable: { status: 503, title: 'Broker unavailable', detail: 'There is no connection to an MQTT broker' },
  idempotency_store_full: {
    status: 503,
    title: 'Idempotency store full',
    detail: 'There is no room to remember another Idempotency-Key; nothing was published'
  },
  idempotency_store_unavailable: {
    status: 503,
    title: 'Idempotency store unavailable',
    detail: 'The store of Idempotency-Keys does not answer; nothing was published'
  },
  key_source_unavailable: {
    status: 503,
    title: 'Key source unavailable',
    detail: 'The keys of the issuer cannot be fetched, so the access token cannot be checked; nothing was published'
  },
  overloaded: { status: 503, title: 'Overloaded', detail: 'Too many callers wait for the reply of a device; nothing was published' },
  shutting_down: { status: 503, title: 'Shutting down', detail: 'This server is stopping; nothing was published' },
  delivery_unknown: {
    status: 504,
    title: 'Delivery unknown',
    detail: 'The command was sent to the broker, which did not acknowledge it in time. It may or may not reach the device until its ttl is over'
  },
  reply_timeout: {
    status: 504,
    title: 'Reply timeout',
    detail: 'The broker acknowledged the command, and the device did not answer in time. It may or may not execute the command'
  }
} as const satisfies Record<string, Pick<Problem, 'status' | 'title' | 'detail'>>

/** Stable name of a problem. */
export type ProblemCode = keyof typeof catalogue

/** What an occasion adds to the catalogue's entry. */
export interface ProblemOptions {
  /** Instead of the catalogue's detail. Must not show anything internal. */
  readonly detail?: string
  /** Response headers that belong to the problem, e.g. `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>
  /** The faults of a body. */
  readonly errors?: readonly Fault[]
}

/** An answer from the catalogue, thrown where it is found out and answered by the error handler. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>

  constructor (readonly code: ProblemCode, readonly options: ProblemOptions = {}) {
    super(options.detail ?? catalogue[code].detail)
    this.statusCode = catalogue[code].status
    this.headers = options.headers ?? {}
  }

  /** The body of the answer. */
  toProblem (): Problem {
    const { status, title } = catalogue[this.code]
    const { errors } = this.options
    return { title, status, code: this.code, detail: this.message, ...(errors !== undefined && { errors: [...errors] }) }
  }
}

/** Media type of every {@link Problem} (RFC 9457, section 3). */
export const PROBLEM_JSON = 'application/problem+json; charset=utf-8'
