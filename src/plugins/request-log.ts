import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createAnsweredLog } from '../answered-line.js'
import type { Clock } from '../clock.js'
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
 * for every request with a valid token, also for one whose caller has gone meanwhile.
 * The query is left out, and in unknown paths what looks like a token: callers put secrets there.
 */
export default fp(async (fastify: FastifyInstance, { clock }: { clock: Clock }) => {
  fastify.decorateRequest('receivedAtMs', 0)
  fastify.decorateRequest('isLogged', false)
  const writeLine = createAnsweredLog(fastify.log)

  fastify.addHook('onRequest', (request, _reply, done) => {
    request.receivedAtMs = clock.nowMs()
    done()
  })

  // Where the caller has gone, no response is ever finished; but its connection is closed.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (request.command !== null) {
      if (reply.raw.closed) log(request, reply)
      // Each closes once, and `once` costs more.
      else reply.raw.on('close', () => { log(request, reply) })
    }
    done(null, payload)
  })

  fastify.addHook('onResponse', (request, reply, done) => {
    log(request, reply)
    done()
  })

  function log (request: FastifyRequest, reply: FastifyReply): void {
    if (request.isLogged) return
    request.isLogged = true
    const { user, command, sent } = request
    const path = pathOf(request.url)
    writeLine({
      reqId: request.id,
      method: request.method,
      path: request.is404 ? path.replace(SECRET, '<token>') : path,
      status: reply.statusCode,
      durationMs: clock.nowMs() - request.receivedAtMs,
      user: user ?? undefined,
      command: command ?? undefined,
      topic: request.topic === '' ? undefined : request.topic,
      commandId: sent?.publication.id,
      outcome: request.isForCommand ? outcomeOf(request, reply) : undefined,
      reason: sent === null ? request.problem : reasonOf(sent)
    })
  }
}, { name: 'request-log', dependencies: ['mqtt'] })

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

/** A target without its query, and without scheme, user and host, which an absolute one has (RFC 9112, section 3.2.2). */
function pathOf (url: string): string {
  const end = url.indexOf('?')
  const path = end === -1 ? url : url.slice(0, end)
  return path.startsWith('/') ? path : path.replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, '')
}
