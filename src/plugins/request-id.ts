import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

const REQUEST_ID = /^[0-9A-Za-z_.-]{1,128}$/

/** A short JWT fits, too; but an id is logged, and a token must not be. */
const JWT = /^ey[\w-]*\.[\w-]*\.[\w-]*$/

/**
 * The caller's `X-Request-Id` where it is 1-128 of `0-9 A-Z a-z _ . -` and no token, otherwise a new UUID.
 * It names the HTTP exchange only; the command has an id of its own.
 */
export function requestIdOf (request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) && !JWT.test(given) ? given : randomUUID()
}

/** Puts `X-Request-Id` on every response: its absence tells a caller that a proxy answered. */
export default fp(async (fastify: FastifyInstance) => {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
}, { name: 'request-id' })
