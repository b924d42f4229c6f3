import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PROBLEM_JSON, ProblemError, type ProblemCode } from '../errors.js'
import { describeFaults } from '../schemas/faults.js'
import type {} from './limits.js'
import { loggedPathOf } from './request-log.js'
import { SECURITY_HEADERS } from './security-headers.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The problem it was answered with; undefined: none. */
    problem: ProblemCode | undefined
  }
}

/** Fastify's own errors, as problems of ours. */
const FASTIFY_ERRORS = new Map<string, ProblemCode>([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'payload_too_large'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'malformed_request'],
  ['FST_ERR_BAD_URL', 'malformed_request']
])

/**
 * Answers everything that is thrown as a problem (RFC 9457). A 5xx shows nothing of what happened inside; the log does.
 */
export default fp(async (fastify: FastifyInstance) => {
  fastify.decorateRequest('problem', undefined)
  fastify.setErrorHandler(answerError)
}, { name: 'error-handler', dependencies: ['request-id'] })

/** Answers with a problem and the headers that belong to it. */
export function sendProblem (reply: FastifyReply, error: ProblemError): FastifyReply {
  reply.request.problem = error.code
  return reply.code(error.statusCode).headers(error.headers).type(PROBLEM_JSON).send(error.toProblem())
}

/** Answers a target that cannot be read, of which Fastify tells before any hook has run (`frameworkErrors`): its line in the log is written here. */
export function answerFrameworkError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  answerError(error, request, reply)
  request.log.info({ reqId: request.id, method: request.method, path: loggedPathOf(request), status: reply.statusCode }, 'answered')
}

/** Answers whatever was thrown. */
export function answerError (error: FastifyError | ProblemError, request: FastifyRequest, reply: FastifyReply): void {
  // Fastify has the connection closed for whatever is wrong with a body. Requests behind it may have been
  // begun, and would be done without an answer; what is left of the body is passed over. To delete the
  // header is not the same: Node would still close where the caller asked for it, without saying so.
  if (reply.hasHeader('connection') && reply.raw.shouldKeepAlive) reply.header('connection', 'keep-alive')
  reply.header('x-request-id', request.id).headers(SECURITY_HEADERS)
  const problem = toProblemError(error)
  if (problem.statusCode === 500) request.log.error({ reqId: request.id, err: error }, 'a request failed')
  if (problem.statusCode !== 401) {
    sendProblem(reply, problem)
    return
  }
  request.server.countFailedToken(request, problem).then(answer => { sendProblem(reply, answer) }, reply.send.bind(reply))
}

function toProblemError (error: FastifyError | ProblemError): ProblemError {
  if (error instanceof ProblemError) return error
  if (error.validation !== undefined) {
    const errors = describeFaults(error.validation)
    return new ProblemError('invalid_body', { errors })
  }
  const code = FASTIFY_ERRORS.get(error.code)
  if (code !== undefined) return new ProblemError(code)
  // Any other error that Fastify blames on the request.
  return new ProblemError(error.statusCode !== undefined && error.statusCode < 500 ? 'malformed_request' : 'internal_error')
}
