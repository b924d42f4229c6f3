import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import { ProblemError } from '../errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** How far this server is on its way out. */
    drain: ReturnType<typeof createDrain>
  }
}

function createDrain (clock: Clock) {
  let stage: 'serving' | 'leaving' | 'refusing' = 'serving'
  let refusesSinceMs: number | undefined
  return {
    /** Turns readiness to 503, so that balancers look elsewhere; requests are still served. */
    leave () { stage = 'leaving' },
    /** Answers every new request with 503 from now on. What is under way goes on. */
    refuse () {
      stage = 'refusing'
      refusesSinceMs ??= clock.nowMs()
    },
    get isServing () { return stage === 'serving' },
    get isRefusing () { return stage === 'refusing' },
    /** For how long it has refused, in milliseconds; 0 while it does not. */
    get refusesForMs () { return refusesSinceMs === undefined ? 0 : clock.nowMs() - refusesSinceMs }
  }
}

/**
 * Refuses new requests while the server stops. Fastify's own `return503OnClosing`
 * is off: it answers another body, without `X-Request-Id`.
 */
export default fp(async (fastify: FastifyInstance, { clock }: { clock: Clock }) => {
  const drain = createDrain(clock)
  fastify.decorate('drain', drain)
  fastify.addHook('preClose', async () => { drain.refuse() })

  fastify.addHook('onSend', (_request, reply, payload, done) => {
    // Also on what was under way: a connection that stays open would keep the server from its end.
    if (drain.isRefusing) reply.header('connection', 'close')
    done(null, payload)
  })

  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!drain.isRefusing) {
      done()
      return
    }
    const isExempt = request.routeOptions.config.servedWhileStopping === true
    done(isExempt ? undefined : new ProblemError('shutting_down', { headers: { 'retry-after': '1' } }))
  })
}, { name: 'drain', dependencies: ['error-handler'] })

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers also while the server stops and refuses everything else. */
    servedWhileStopping?: boolean
  }
}
