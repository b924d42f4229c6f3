import type { FastifyReply } from 'fastify'
import { ProblemError } from '../../errors.js'
import type { NotSentReason, Outcome, UnknownReason } from '../../mqtt/outcome.js'
import { nameRefusal, NOT_AUTHORIZED, QUOTA_EXCEEDED } from '../../mqtt/reason-codes.js'
import type { SendResult } from '../../schemas/messaging.js'
import { sendProblem } from '../../plugins/error-handler.js'
import type { Sent } from '../../plugins/mqtt.js'

/** The published contract spells it so, and clients match it. */
const NOT_SENT: SendResult = { detail: 'Somthing went wrong' }

/** `Proxy-Status` parameters (RFC 9209, section 2.3) of each outcome that is not simply accepted. */
const NOT_SENT_STATUS: Readonly<Record<Exclude<NotSentReason, 'refused'>, string>> = {
  not_connected: 'error=destination_unavailable',
  no_slot: 'error=connection_limit_reached',
  expired: 'error=connection_write_timeout',
  too_large: 'error=proxy_configuration_error; details="packet too large"'
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

/** Answers a send with what became of it: 200, 406 or 504, as the contract's table has them. */
export function replyToOutcome (reply: FastifyReply, { outcome, publication }: Sent): FastifyReply {
  switch (outcome.kind) {
    case 'accepted':
      if (outcome.noSubscribers) reply.header('proxy-status', 'messenger; details="no matching subscribers"')
      return reply.send({ detail: `Send \`${publication.payload}\` to topic \`${publication.topic}\`` } satisfies SendResult)
    case 'not_sent': {
      const retryAfterS = retryAfterOf(outcome)
      if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS)
      reply.header('proxy-status', `messenger; ${describeNotSent(outcome)}`)
      return reply.code(406).send(NOT_SENT)
    }
    case 'unknown':
      reply.header('proxy-status', `messenger; ${UNKNOWN_STATUS[outcome.reason]}`)
      return sendProblem(reply, new ProblemError('delivery_unknown'))
  }
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
