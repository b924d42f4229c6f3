import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * On every answer: nobody keeps it (a health probe or a refusal that is served again from a cache
 * would be a lie), and nobody takes it for anything but the JSON that it is. Why these and no
 * others: docs/decisions/0002-edges.md
 */
export const SECURITY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** Puts {@link SECURITY_HEADERS} on every answer. A route that needs others sets its own. */
export default fp(async (fastify: FastifyInstance) => {
  fastify.addHook('onRequest', (_request, reply, done) => {
    // One by one: `reply.headers` makes a list of their names for each request.
    reply.header('cache-control', SECURITY_HEADERS['cache-control'])
    reply.header('x-content-type-options', SECURITY_HEADERS['x-content-type-options'])
    done()
  })
}, { name: 'security-headers' })
