import { catalogue } from '../../src/errors.js'
import type { End } from './model/http.js'
import type { Pair } from './judge.js'
import type { Answer } from './wire/answers.js'
import { REPLY } from './witness.js'

/** Answers to what no server can read as a request. */
const PARSER_ANSWERS = ['400 malformed_request', '408 request_timeout', '431 header_fields_too_large']

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** What a 200 has more where the reply of the device was waited for. */
const REPLIED = `,"reply":"${REPLY}"`

/** A problem as it was answered; undefined where it is none. */
interface Problem {
  readonly title?: unknown
  readonly status?: unknown
  readonly code?: unknown
  readonly detail?: unknown
  readonly errors?: unknown
}

/** What is wrong with an answer: its form, and whether it is one that its request may get. */
export function checkAnswer ({ answer, method, expected }: Pair, end: End): string[] {
  const problem = readProblem(answer)
  const shown = `${answer.status}${problem?.code === undefined ? '' : ` ${String(problem.code)}`}`
  const isToHead = method === 'HEAD' || (method === undefined && answer.body === '')
  const findings = [...checkForm(answer), ...(isToHead || answer.status < 400 ? [] : checkProblem(answer, problem))]
  if (answer.status >= 500 && answer.status !== 503) findings.push('a 5xx other than 503')
  const allowed = expected === undefined ? PARSER_ANSWERS : [...expected.answers]
  // Of what may be read in several ways, any reading is right; what it publishes is still held against the answers.
  if (expected === undefined && end === 'debatable') return findings.map(found => `${shown}: ${found}`)
  const isAllowed = allowed.some(one => one === shown || (method === 'HEAD' && one.split(' ')[0] === String(answer.status)))
  if (!isAllowed) findings.push(`right would be ${allowed.join(' or ')}`)
  if (expected?.allow !== undefined && answer.status === 405) findings.push(...checkAllow(answer, expected.allow))
  if (answer.status === 200 && expected?.command !== undefined) {
    const { imei, microOp } = expected.command
    const body = (reply: string) => `{"detail":"Send \`${microOp}\` to topic \`devices/${imei}/commands\`"${reply}}`
    // What is repeated says no more that it was waited for.
    const replies = answer.headers.get('idempotency-replayed') === 'true' ? ['', REPLIED] : [answer.headers.has('preference-applied') ? REPLIED : '']
    if (!replies.map(body).includes(answer.body)) findings.push(`the body is ${answer.body}`)
  }
  return findings.map(found => `${shown}: ${found}`)
}

/** What every answer has to have. */
function checkForm ({ status, headers }: Answer): string[] {
  const findings: string[] = []
  if (!/^[\w.-]{1,128}$/.test(headers.get('x-request-id') ?? '')) findings.push('there is no X-Request-Id')
  const challenge = headers.get('www-authenticate') ?? ''
  if (status === 401 && !/^Bearer realm="messenger"(, error="invalid_token", error_description="[^"\\]+")?$/.test(challenge)) findings.push(`the challenge is ${challenge}`)
  if (status === 403 && !challenge.startsWith('Bearer realm="messenger", error="insufficient_scope"')) findings.push(`the challenge is ${challenge}`)
  if (status === 503 && !/^[1-9]\d*$/.test(headers.get('retry-after') ?? '')) findings.push('there is no Retry-After')
  return findings
}

/** RFC 9457, and the stable codes of the catalogue. */
function checkProblem ({ status, headers }: Answer, problem: Problem | undefined): string[] {
  if (headers.get('content-type') !== PROBLEM_TYPE || problem === undefined) return ['it is no problem document']
  const entry = Object.entries(catalogue).find(([code]) => code === problem.code)?.[1]
  if (entry?.status !== status || problem.status !== status || problem.title !== entry.title) return ['status, code and title do not belong together']
  const findings: string[] = []
  if (typeof problem.detail !== 'string' || problem.detail === '') findings.push('there is no detail')
  const faults: unknown[] = Array.isArray(problem.errors) ? problem.errors : []
  if ((problem.code === 'invalid_body') !== (faults.length > 0)) findings.push('errors are there without a reason, or missing')
  if (!faults.every(isFault)) findings.push('an error without pointer or detail')
  return findings
}

function isFault (fault: unknown): boolean {
  return typeof fault === 'object' && fault !== null && 'pointer' in fault && 'detail' in fault &&
    typeof fault.pointer === 'string' && typeof fault.detail === 'string' && fault.detail !== ''
}

function checkAllow ({ headers }: Answer, allow: readonly string[]): string[] {
  const named = (headers.get('allow') ?? '').split(', ').sort()
  return named.join() === [...allow].sort().join() ? [] : [`the Allow header is ${headers.get('allow')}`]
}

/** The problem in an answer, which is UTF-8. */
export function readProblem ({ status, body }: Answer): Problem | undefined {
  if (status < 400) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(body, 'latin1').toString())
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
