import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { forEachAtMost } from '../../at-most.js'
import type { Clock } from '../../clock.js'
import type { Claim } from '../../idempotency/store.js'
import { isPublishable, itemsOf, type BulkItem } from '../../plugins/authorization.js'
import { answerError } from '../../plugins/error-handler.js'
import { traceContextOf } from '../../plugins/tracing.js'
import { createBulkBody } from '../../schemas/messaging.js'
import { bulkDocs } from './bulk-docs.js'
import { answerFor, readItems, unknownAnswerFor } from './bulk-items.js'
import { JSON_TYPE } from './outcome-reply.js'
import type { SendRouteOptions } from './send.js'

export interface BulkRouteOptions extends SendRouteOptions {
  /** How long commands may wait for those before them, in milliseconds. */
  readonly handOverMs: number
  /** The same once the server stops: what is handed over later might have no outcome in time. */
  readonly lastHandOverMs: number
  readonly clock: Clock
}

/** Largest body, in bytes. */
const BODY_LIMIT = 256 * 1024

/** Most commands of one request that the publisher has at a time, where the window is larger. */
const PUBLISHED_AT_ONCE = 100

/** The commands of one request, from when they are published. */
interface Batch {
  readonly items: readonly BulkItem[]
  /** What the answer is recorded for. */
  readonly claim: Claim | null
  isAnswered: boolean
  isToBeAmended: boolean
}

/** `POST /messaging/send/bulk`: many commands, each answered by itself. */
export const bulkRoute: FastifyPluginAsyncTypebox<BulkRouteOptions> = async (fastify, options) => {
  const { commandTtlS, handOverMs, lastHandOverMs, clock } = options
  // What may still turn out otherwise, by publication.
  const unsettled = new WeakMap<object, { batch: Batch, item: BulkItem }>()
  // Requests of which something may have been published.
  const begun = new WeakSet<FastifyRequest>()

  fastify.mqtt.onLateOutcome(sent => {
    const late = unsettled.get(sent.publication)
    if (late === undefined) return
    late.item.sent = sent
    if (late.batch.isAnswered) amend(late.batch)
  })

  /** Replaces what was recorded, once for all PUBACKs that come in one turn of the event loop. */
  function amend (batch: Batch): void {
    const { claim, items } = batch
    if (claim === null || batch.isToBeAmended) return
    batch.isToBeAmended = true
    setImmediate(async () => {
      batch.isToBeAmended = false
      await fastify.idempotency.rewrite(claim, { status: 200, contentType: JSON_TYPE, body: JSON.stringify(answerFor(items)) })
    })
  }

  /**
   * Publishes what was not refused. No more at a time than the window takes: with all at once, most would wait in the
   * publisher's queue for too long only because of each other, and the commands of others behind them.
   */
  async function publish (request: FastifyRequest, batch: Batch): Promise<void> {
    const deadlineMs = clock.nowMs() + handOverMs
    const isInTime = () => clock.nowMs() < deadlineMs && fastify.drain.refusesForMs <= lastHandOverMs
    const shared = { receivedAtMs: request.receivedAtMs, requestId: request.id, ...traceContextOf(request) }
    const atMost = Math.min(Math.max(1, fastify.mqtt.window), PUBLISHED_AT_ONCE)
    const accepted = batch.items.filter(isPublishable).map(item => ({ item, body: item.command }))
    await forEachAtMost(accepted, atMost, async ({ item, body }) => {
      const { imei, micro_op: microOp, ttl } = body
      const command = { imei, topic: item.topic, microOp, ttlS: ttl ?? commandTtlS, ...shared }
      item.sent = isInTime() ? await fastify.mqtt.send(command) : fastify.mqtt.giveUp(command)
      if (item.sent.outcome.kind === 'unknown') unsettled.set(item.sent.publication, { batch, item })
    })
  }

  /** After the first publish nothing may be answered 500; and of a key whose process died, all commands are unknown. */
  function answerBulkError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
    const isBegun = begun.has(request)
    if (request.items === null || !(isBegun || error.code === 'delivery_unknown')) {
      answerError(error, request, reply)
      return
    }
    if (isBegun) request.log.error({ reqId: request.id, err: error }, 'the answer to published commands failed')
    request.problem = 'delivery_unknown'
    reply.code(200).type(JSON_TYPE).send(unknownAnswerFor(request.items))
  }

  fastify.addHook('preHandler', async request => {
    request.items = readItems(request.body, request.validationError)
  })

  fastify.post('/messaging/send/bulk', {
    config: { bulk: true, idempotent: true },
    bodyLimit: BODY_LIMIT,
    schema: { ...bulkDocs, body: createBulkBody({ microOps: options.microOps, expires: fastify.mqtt.supportsExpiry }) },
    // Of all commands at once, and without refusing the others for one.
    attachValidation: true,
    errorHandler: answerBulkError
  }, async (request, reply) => {
    const batch: Batch = { items: itemsOf(request), claim: request.claim, isAnswered: false, isToBeAmended: false }
    begun.add(request)
    await publish(request, batch)
    batch.isAnswered = true
    return reply.type(JSON_TYPE).send(answerFor(batch.items))
  })
}
