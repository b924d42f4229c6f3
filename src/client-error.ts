import { METHODS, ServerResponse, STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { PROBLEM_JSON, ProblemError, type ProblemCode } from './errors.js'
import { requestIdOf } from './plugins/request-id.js'
import { SECURITY_HEADERS } from './plugins/security-headers.js'

/** What Node's HTTP parser and its time-outs complain of. */
const CLIENT_ERRORS = new Map<string, ProblemCode>([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_timeout'],
  ['HPE_HEADER_OVERFLOW', 'header_fields_too_large']
])

/** TLS failed, or its handshake did not come in time: what was written would wait for it for ever. */
const TLS_ERROR = /^ERR_(TLS|SSL)_/

/**
 * Answers what is not HTTP, comes too slowly or has too large a header, and closes the connection.
 *
 * Where a complete request is still being worked on, nothing is written: what comes first on
 * the connection would be taken for the answer to that request, whose command may have been
 * published. The caller then sees a lost connection, which is the truth: unknown.
 */
export function answerClientError (this: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (TLS_ERROR.test(String(error.code))) socket.destroy()
  else if (socket.writable && error.code !== 'ECONNRESET' && !isAnswering(socket)) {
    const { status, headers, body } = describe(CLIENT_ERRORS.get(String(error.code)) ?? 'malformed_request')
    const fields = Object.entries(headers).map(field => field.join(': '))
    socket.write([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...fields, '', body].join('\r\n'))
  }
  // Not the error itself: Node hangs on it all that was received, with the token (`rawPacket`).
  this.log.debug({ code: error.code, reason: error.message }, 'a connection was closed for an error of the client')
  socket.destroySoon()
}

/**
 * Has a server answer 400 to a method that Node's parser takes although it is none of HTTP: those of RTSP, and the one that begins HTTP/2.
 * Others that it does not know end in {@link answerClientError}. Fastify has no route for them, not even to a 404: its router
 * breaks on them before any hook.
 */
export function refuseUnknownMethods ({ server }: FastifyInstance): void {
  const listeners = server.listeners('request')
  const known = new Set(METHODS)
  server.removeAllListeners('request').on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (known.has(String(request.method))) for (const listener of listeners) listener.call(server, request, response)
    else refuseMethod(request, response)
  })
}

function refuseMethod (request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, body } = describe('malformed_request', request)
  response.writeHead(status, headers).end(body)
}

/** The answer to what does not come to be a request. */
function describe (code: ProblemCode, request: Pick<IncomingMessage, 'headers'> = { headers: {} }) {
  const problem = new ProblemError(code)
  const body = JSON.stringify(problem.toProblem())
  return {
    status: problem.statusCode,
    headers: {
      'X-Request-Id': requestIdOf(request),
      ...SECURITY_HEADERS,
      'Content-Type': PROBLEM_JSON,
      'Content-Length': Buffer.byteLength(body),
      Connection: 'close'
    },
    body
  }
}

/**
 * Whether the connection owes the answer to a request that arrived whole, or has begun to answer.
 * Node keeps the response in progress on the socket; its own handler of these errors looks there too.
 */
function isAnswering (socket: Socket): boolean {
  const response = '_httpMessage' in socket ? socket._httpMessage : null
  return response instanceof ServerResponse && (response.req.complete || response.headersSent)
}
