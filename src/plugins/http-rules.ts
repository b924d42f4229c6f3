import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { countHeader } from '../count-header.js'
import { ProblemError } from '../errors.js'

/**
 * Takes over two answers that Node would give by itself, without our `X-Request-Id` and body.
 * For the second the server must be built with `requireHostHeader: false`.
 */
export default fp(async (fastify: FastifyInstance) => {
  // An expectation that is not understood may be ignored (RFC 9110, section 10.1.1); Node would answer 417.
  fastify.server.on('checkExpectation', (request, response) => { fastify.server.emit('request', request, response) })

  fastify.addHook('onRequest', (request, _reply, done) => {
    const { headers, httpVersion, rawHeaders } = request.raw
    // RFC 9112, section 3.2.
    if (headers.host === undefined && httpVersion === '1.1') done(malformed('A request of HTTP/1.1 needs a Host header'))
    else if (countHeader(rawHeaders, 'host') > 1) done(malformed('Send one Host header'))
    else done()
  })
}, { name: 'http-rules', dependencies: ['error-handler'] })

function malformed (detail: string): ProblemError {
  return new ProblemError('malformed_request', { detail })
}
