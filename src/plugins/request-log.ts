import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createAnsweredLog, createCommandLog } from '../answered-line.js'
import type { Clock } from '../clock.js'
import { whenOver } from '../when-over.js'
import type { BulkItem } from './authorization.js'
import type { Sent } from './mqtt.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request was received, in milliseconds of {@link Clock.nowMs}. */
    receivedAtMs: number
    /** Whether its line was written. */
    isLogged: boolean
  }
}

/** What may be a token, however it is encoded: no path of ours has so much between two slashes. */
const SECRET = /[^/]{40,}/g

/**
 * Notes when each request was received, and logs one line for it when it was answered. On the routes
 * with `config.command` this is the audit line: who wanted which command, and what became of it,
 * for every request with a valid token, also for one whose caller has gone meanwhile. With `config.bulk`
 * it has the number of commands by outcome, and each command has a line of its own before it.
 * The query is left out, and in paths what looks like a token: callers put secrets there.
 */
export default fp(async (fastify: FastifyInstance, { clock }: { clock: Clock }) => {
  fastify.decorateRequest('receivedAtMs', 0)
  fastify.decorateRequest('isLogged', false)
  const writeLine = createAnsweredLog(fastify.log)
  const writeCommand = createCommandLog(fastify.log)

  fastify.addHook('onRequest', (request, _reply, done) => {
    request.receivedAtMs = clock.nowMs()
    done()
  })

  // Where the caller has gone, no response is ever finished; but its connection is closed.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.command !== null || request.items !== null) whenOver(request, reply, () => { log(request, reply) })
    done(null, payload)
  })

  fastify.addHook('onResponse', (request, reply, done) => {
    log(request, reply)
    done()
  })

  function log (request: FastifyRequest, reply: FastifyReply): void {
    if (request.isLogged) return
    request.isLogged = true
    const { user, command, sent, items } = request
    writeLine({
      reqId: request.id,
      traceId: request.span?.traceId,
      method: request.method,
      path: loggedPathOf(request),
      status: reply.statusCode,
      durationMs: clock.nowMs() - request.receivedAtMs,
      user: user ?? undefined,
      command: command ?? undefined,
      topic: request.topic === '' ? undefined : request.topic,
      commandId: sent?.publication.id,
      outcome: request.isForCommand && items === null ? outcomeOf(request, reply) : undefined,
      reason: sent === null ? request.problem : reasonOf(sent),
      commands: items === null ? undefined : logItems(request, items)
    })
  }

  /** @returns how many came to which outcome */
  function logItems (request: FastifyRequest, items: readonly BulkItem[]): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const [index, item] of items.entries()) {
      const { imei, command, topic, sent } = item
      const { outcome, reason } = endOf(item, request)
      counts[outcome] = (counts[outcome] ?? 0) + 1
      writeCommand({
        reqId: request.id,
        traceId: request.span?.traceId,
        user: request.user,
        index,
        imei: imei ?? undefined,
        microOp: command?.micro_op,
        topic: topic === '' ? undefined : topic,
        commandId: sent?.publication.id,
        outcome,
        reason
      })
    }
    return counts
  }
}, { name: 'request-log', dependencies: ['mqtt', 'tracing'] })

/** What became of a command; `replayed`: of one that an earlier request with its Idempotency-Key sent. */
function outcomeOf ({ sent, isReplay }: FastifyRequest, { statusCode }: FastifyReply): 'accepted' | 'not_sent' | 'unknown' | 'replayed' | 'refused' {
  if (sent !== null) return sent.outcome.kind
  if (isReplay) return 'replayed'
  // Of a key whose process died.
  return statusCode === 504 ? 'unknown' : 'refused'
}

/** Why a command was not accepted, or got no answer that was waited for. */
function reasonOf ({ outcome, waited }: Sent): string | undefined {
  if ('reason' in outcome) return outcome.reason
  if (waited === undefined || waited.reply !== undefined) return undefined
  return outcome.noSubscribers ? 'no_subscriber' : 'reply_timeout'
}

/** What became of one of many commands, and why, as {@link outcomeOf} tells it of the only one. */
function endOf ({ sent, refusal }: BulkItem, { isReplay, problem }: FastifyRequest): { outcome: string, reason: string | undefined } {
  if (sent !== undefined) return { outcome: sent.outcome.kind, reason: reasonOf(sent) }
  if (isReplay) return { outcome: 'replayed', reason: undefined }
  // Of a key whose process died.
  if (problem === 'delivery_unknown') return { outcome: 'unknown', reason: problem }
  return { outcome: 'refused', reason: refusal?.code ?? problem }
}

/** The path of a request as it may be told to others. */
export function loggedPathOf ({ url }: Pick<FastifyRequest, 'url'>): string {
  return pathOf(url).replace(SECRET, '<token>')
}

/** A target without its query, and without scheme, user and host, which an absolute one has (RFC 9112, section 3.2.2). */
function pathOf (url: string): string {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  return path.startsWith('/') ? path : path.replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, '')
}
