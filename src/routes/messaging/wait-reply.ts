import { PROBLEM_JSON, ProblemError, type ProblemCode } from '../../errors.js'
import type { Waited } from '../../mqtt/replies.js'
import type { Answer } from './outcome-reply.js'

/**
 * The answer for what a wait for the answer of a device came to.
 * @param plain the answer for the same outcome where nobody waits: also that of what was not sent or is unknown
 */
export function answerToWait ({ outcome, reply }: Waited, plain: Answer): Answer {
  if (outcome.kind !== 'accepted') return plain
  // Put in as it came: to read and write it again would change its numbers above 2^53.
  if (reply !== undefined) return { ...plain, text: `${JSON.stringify(plain.body).slice(0, -1)},"reply":${reply}}` }
  if (outcome.noSubscribers) return problemAnswer('no_subscriber', plain.proxyStatus)
  return problemAnswer('reply_timeout', 'messenger; error=http_response_timeout; details="no reply of the device"')
}

function problemAnswer (code: ProblemCode, proxyStatus: string | undefined): Answer {
  const problem = new ProblemError(code).toProblem()
  return { status: problem.status, contentType: PROBLEM_JSON, proxyStatus, body: problem }
}
