import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../../errors.js'
import type { Command } from '../../mqtt/publication.js'
import { answerError, sendProblem } from '../../plugins/error-handler.js'
import type { Sent } from '../../plugins/mqtt.js'
import { traceContextOf } from '../../plugins/tracing.js'
import { createSendBody } from '../../schemas/messaging.js'
import { whenOver } from '../../when-over.js'
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
  // Requests whose command may have been published.
  const begun = new WeakSet<FastifyRequest>()
  /** After the publish nothing may be answered 500, which callers read as "nothing happened". What we refuse ourselves we know. */
  function answerSendError (error: FastifyError | ProblemError, request: FastifyRequest, reply: FastifyReply): void {
    if (!begun.has(request) || error instanceof ProblemError) {
      answerError(error, request, reply)
      return
    }
    request.log.error({ reqId: request.id, err: error }, 'the answer to a published command failed')
    sendProblem(reply, new ProblemError('delivery_unknown', { headers: { 'proxy-status': 'messenger; error=proxy_internal_error' } }))
  }

  fastify.mqtt.onLateOutcome(async sent => { await fastify.idempotency.amend(sent.publication, toRecord(answerTo(sent))) })

  fastify.post('/messaging/send', {
    config: { command: true, idempotent: true, waits: true },
    schema: { ...sendDocs, body: createSendBody({ microOps: options.microOps, expires: fastify.mqtt.supportsExpiry }) },
    errorHandler: answerSendError
  }, async (request, reply) => {
    const { imei, micro_op: microOp, ttl } = request.body
    const { waitS } = request
    const command = {
      imei,
      topic: request.topic,
      microOp,
      ttlS: ttl ?? waitS ?? options.commandTtlS,
      receivedAtMs: request.receivedAtMs,
      requestId: request.id,
      ...traceContextOf(request)
    }
    begun.add(request)
    request.sent = await (waitS === undefined ? fastify.mqtt.send(command) : waitForReply(command, waitS, reply))
    return replyWith(reply, answerTo(request.sent))
  })
}

/** Sends a command and waits for the answer of its device, for as long as somebody is there to hear it or has a key to ask for it. */
function waitForReply (command: Command, waitS: number, reply: FastifyReply): Promise<Sent> {
  const { sent, leave } = reply.server.mqtt.sendAndWait(command, waitS)
  reply.header('preference-applied', `wait=${waitS}`)
  if (reply.request.claim === null) whenOver(reply.request, reply, leave)
  return sent
}
