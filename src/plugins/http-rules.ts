import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { refuseUnknownMethods } from '../client-error.js'
import { ProblemError } from '../errors.js'
import { isRepeated } from '../raw-headers.js'

/**
 * Rules of HTTP that Node leaves to us, or breaks where we do not say otherwise: its own answers lack
 * our `X-Request-Id` and body. The server must be built with `requireHostHeader: false`.
 */
export default fp(async (fastify: FastifyInstance) => {
  // Node would drop all header lines after the 2,000th: a second token, or an Idempotency-Key. They are bounded in bytes.
  fastify.server.maxHeadersCount = 0

  // An expectation that is not understood may be ignored (RFC 9110, section 10.1.1); Node would answer 417.
  fastify.server.on('checkExpectation', (request, response) => { fastify.server.emit('request', request, response) })

  refuseUnknownMethods(fastify)

  fastify.addHook('onRequest', (request, _reply, done) => {
    const fault = findFault(request.raw)
    done(fault === undefined ? undefined : new ProblemError('malformed_request', { detail: fault }))
  })
}, { name: 'http-rules', dependencies: ['error-handler'] })

/** RFC 9112, sections 2.3 and 3.2. */
function findFault ({ httpVersion, headers, rawHeaders }: IncomingMessage): string | undefined {
  // The parser takes a request without a version for one of HTTP/0.9.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'The messenger speaks HTTP/1.1 and HTTP/1.0'
  if (headers.host === undefined) return httpVersion === '1.1' ? 'A request of HTTP/1.1 needs a Host header' : undefined
  return isRepeated(rawHeaders, 'host') ? 'Send one Host header' : undefined
}
