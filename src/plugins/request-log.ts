import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import type { Sent } from './mqtt.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request was received, in milliseconds of {@link Clock.nowMs}. */
    receivedAtMs: number
  }
}

/**
 * Notes when each request was received, and logs one line for it when it was
 * answered, with what became of its command. The query is left out: callers put
 * secrets there.
 */
export default fp(async (fastify: FastifyInstance, { clock }: { clock: Clock }) => {
  fastify.decorateRequest('receivedAtMs', 0)

  fastify.addHook('onRequest', (request, _reply, done) => {
    request.receivedAtMs = clock.nowMs()
    done()
  })

  fastify.addHook('onResponse', (request, reply, done) => {
    const [path] = request.url.split('?')
    const durationMs = Math.round((clock.nowMs() - request.receivedAtMs) * 10) / 10
    const { sent } = request
    request.log.info({
      reqId: request.id,
      method: request.method,
      path,
      status: reply.statusCode,
      durationMs,
      // Flat: a nested object takes pino's slow way.
      ...(sent !== null && { commandId: sent.publication.id, outcome: sent.outcome.kind, ...reasonOf(sent) })
    }, 'answered')
    done()
  })
}, { name: 'request-log', dependencies: ['mqtt'] })

/** Why a command was not accepted. */
function reasonOf ({ outcome }: Sent): { reason?: string } {
  return 'reason' in outcome ? { reason: outcome.reason } : {}
}
