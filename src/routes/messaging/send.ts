import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../../errors.js'
import { answerError, sendProblem } from '../../plugins/error-handler.js'
import { createSendBody } from '../../schemas/messaging.js'
import { sendDocs } from './send-docs.js'
import { answerTo, replyWith, toRecord } from './outcome-reply.js'

export interface SendRouteOptions {
  /** The only operations accepted; undefined accepts any. */
  readonly microOps: readonly string[] | undefined
  /** Seconds, where a command states no `ttl`. */
  readonly commandTtlS: number
}

/** `POST /messaging/send`: one command to one device. */
export const sendRoute: FastifyPluginAsyncTypebox<SendRouteOptions> = async (fastify, options) => {
  fastify.mqtt.onLateOutcome(async sent => { await fastify.idempotency.amend(sent.publication, toRecord(answerTo(sent))) })

  fastify.post('/messaging/send', {
    config: { command: true, idempotent: true },
    schema: { ...sendDocs, body: createSendBody({ microOps: options.microOps, expires: fastify.mqtt.supportsExpiry }) },
    errorHandler: answerSendError
  }, async (request, reply) => {
    const { imei, micro_op: microOp, ttl } = request.body
    request.sent = await fastify.mqtt.send({
      imei,
      topic: request.topic,
      microOp,
      ttlS: ttl ?? options.commandTtlS,
      receivedAtMs: request.receivedAtMs,
      requestId: request.id,
      traceparent: traceparentOf(request.headers.traceparent)
    })
    return replyWith(reply, answerTo(request.sent))
  })
}

/** After the publish nothing may be answered 500, which callers read as "nothing happened". */
function answerSendError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  if (request.sent === null) {
    answerError(error, request, reply)
    return
  }
  request.log.error({ reqId: request.id, err: error }, 'the answer to a published command failed')
  sendProblem(reply, new ProblemError('delivery_unknown'))
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The caller's trace context; one that is malformed is to be ignored (W3C Trace Context, section 3.2.2). */
export function traceparentOf (header: unknown): string | undefined {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined
}
