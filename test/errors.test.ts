import t from 'tap'
import { catalogue, PROBLEM_JSON, ProblemError, type ProblemCode } from '../src/errors.js'

/** The codes are promised to be stable, and each keeps its status. */
const STATUSES: Readonly<Record<ProblemCode, number>> = {
  malformed_request: 400,
  invalid_json: 400,
  invalid_body: 400,
  invalid_request: 400,
  invalid_idempotency_key: 400,
  token_missing: 401,
  invalid_token: 401,
  insufficient_scope: 403,
  insufficient_authorization: 403,
  not_found: 404,
  no_subscriber: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  idempotency_key_in_use: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  rate_limited: 429,
  header_fields_too_large: 431,
  caller_gone: 499,
  internal_error: 500,
  broker_unavailable: 503,
  idempotency_store_full: 503,
  idempotency_store_unavailable: 503,
  key_source_unavailable: 503,
  overloaded: 503,
  shutting_down: 503,
  delivery_unknown: 504,
  reply_timeout: 504
}

t.test('keeps the status of each code', async t => {
  t.strictSame(Object.fromEntries(Object.entries(catalogue).map(([code, { status }]) => [code, status])), STATUSES)
})

for (const [code, entry] of Object.entries(catalogue)) {
  t.test(`has a status, a title and a detail for ${code}`, async t => {
    t.strictSame(Object.keys(entry).sort(), ['detail', 'status', 'title'])
    t.ok(Number.isInteger(entry.status) && entry.status >= 400 && entry.status <= 599, 'a status of 4xx or 5xx')
    t.ok(/^[a-z]+(_[a-z]+)*$/.test(code), 'a code in snake case')
    t.ok(/^[A-Z][^.]+$/.test(entry.title), 'a title that is no sentence')
    t.ok(/^[A-Z].*[^.\s]$/.test(entry.detail), 'a detail without a full stop at its end')
  })
}

t.test('gives no two codes the same title', async t => {
  const titles = Object.values(catalogue).map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length)
})

t.test('answers from the catalogue where the occasion adds nothing', async t => {
  const error = new ProblemError('not_found')
  t.ok(error instanceof Error)
  t.equal(error.name, 'ProblemError')
  t.equal(error.statusCode, 404)
  t.equal(error.message, 'There is nothing at this path; GET /openapi.json lists what there is')
  t.strictSame(error.headers, {})
  t.strictSame(error.toProblem(), {
    title: 'No such route',
    status: 404,
    code: 'not_found',
    detail: 'There is nothing at this path; GET /openapi.json lists what there is'
  })
})

t.test('answers with the detail, the headers and the faults of the occasion', async t => {
  const errors = [{ pointer: '/imei', detail: 'is required' }]
  const error = new ProblemError('invalid_body', { detail: 'The body has a fault', headers: { 'retry-after': '1' }, errors })
  t.equal(error.message, 'The body has a fault')
  t.strictSame(error.headers, { 'retry-after': '1' })
  const problem = error.toProblem()
  t.strictSame(problem, {
    title: 'Invalid body',
    status: 400,
    code: 'invalid_body',
    detail: 'The body has a fault',
    errors: [{ pointer: '/imei', detail: 'is required' }]
  })
  t.not(problem.errors, errors, 'the answer has a list of its own')
})

t.test('keeps an empty list of faults', async t => {
  t.strictSame(new ProblemError('invalid_body', { errors: [] }).toProblem().errors, [])
})

t.test('has the media type of RFC 9457', async t => {
  t.equal(PROBLEM_JSON, 'application/problem+json; charset=utf-8')
})
