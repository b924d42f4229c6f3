import type { FastifyReply } from 'fastify'
import { PROBLEM_JSON, ProblemError } from '../../errors.js'
import type { RecordedAnswer } from '../../idempotency/store.js'
import type { NotSentReason, Outcome, UnknownReason } from '../../mqtt/outcome.js'
import { nameRefusal, NOT_AUTHORIZED, QUOTA_EXCEEDED } from '../../mqtt/reason-codes.js'
import type { SendResult } from '../../schemas/messaging.js'
import type { Sent } from '../../plugins/mqtt.js'
import type { Problem } from '../../schemas/problem.js'
import { answerToWait } from './wait-reply.js'

/** Media type of every answer that is not a problem. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/** The published contract spells it so, and clients match it. */
const NOT_SENT: SendResult = { detail: 'Somthing went wrong' }

/** `Proxy-Status` parameters (RFC 9209, section 2.3) of each outcome that is not simply accepted. */
const NOT_SENT_STATUS: Readonly<Record<Exclude<NotSentReason, 'refused'>, string>> = {
  not_connected: 'error=destination_unavailable',
  no_slot: 'error=connection_limit_reached',
  expired: 'error=connection_write_timeout',
  too_large: 'error=proxy_configuration_error; details="packet too large"',
  no_reply_topic: 'error=proxy_configuration_error; details="reply topic refused"'
}
const UNKNOWN_STATUS: Readonly<Record<UnknownReason, string>> = {
  timed_out: 'error=connection_read_timeout',
  connection_lost: 'error=connection_terminated'
}

/** Seconds after which the cause of a 406 may be gone; no entry where waiting does not help. */
const RETRY_AFTER_S: Readonly<Partial<Record<NotSentReason, string>>> = {
  not_connected: '2', // the longest back-off
  no_slot: '1'
}

/** What a send is answered with. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly proxyStatus?: string | undefined
  readonly retryAfterS?: string | undefined
  readonly body: SendResult | Problem
  /** The body as it is sent; undefined: it is {@link Answer.body}, serialized. */
  readonly text?: string
}

/** The answer for what became of a command: 200, 406 or 504, as the contract's table has them. */
export function answerTo (sent: Sent): Answer {
  if (sent.waited !== undefined) return answerToWait(sent.waited, answerToOutcome(sent))
  return answerToOutcome(sent)
}

function answerToOutcome ({ outcome, publication }: Sent): Answer {
  switch (outcome.kind) {
    case 'accepted': return {
      status: 200,
      contentType: JSON_TYPE,
      proxyStatus: outcome.noSubscribers ? 'messenger; details="no matching subscribers"' : undefined,
      body: { detail: `Send \`${publication.payload}\` to topic \`${publication.topic}\`` }
    }
    case 'not_sent': return {
      status: 406,
      contentType: JSON_TYPE,
      proxyStatus: `messenger; ${describeNotSent(outcome)}`,
      retryAfterS: retryAfterOf(outcome),
      body: NOT_SENT
    }
    case 'unknown': return {
      status: 504,
      contentType: PROBLEM_JSON,
      proxyStatus: `messenger; ${UNKNOWN_STATUS[outcome.reason]}`,
      body: new ProblemError('delivery_unknown').toProblem()
    }
  }
}

/** Sends an answer. */
export function replyWith (reply: FastifyReply, { status, contentType, proxyStatus, retryAfterS, body, text }: Answer): FastifyReply {
  if (proxyStatus !== undefined) reply.header('proxy-status', proxyStatus)
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS)
  return reply.code(status).type(contentType).send(text ?? body)
}

/** An answer as it is kept for repeats of its request. */
export function toRecord ({ status, contentType, proxyStatus, body, text }: Answer): RecordedAnswer {
  return { status, contentType, proxyStatus, body: text ?? JSON.stringify(body) }
}

type NotSent = Extract<Outcome, { kind: 'not_sent' }>

function describeNotSent (outcome: NotSent): string {
  if (outcome.reason !== 'refused') return NOT_SENT_STATUS[outcome.reason]
  const error = outcome.reasonCode === NOT_AUTHORIZED ? 'proxy_configuration_error' : 'proxy_internal_error'
  return `error=${error}; details="${nameRefusal(outcome.reasonCode)}"`
}

function retryAfterOf (outcome: NotSent): string | undefined {
  if (outcome.reason === 'refused') return outcome.reasonCode === QUOTA_EXCEEDED ? '1' : undefined
  return RETRY_AFTER_S[outcome.reason]
}
