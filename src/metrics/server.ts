import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { answerClientError, refuseUnknownMethods } from '../client-error.js'
import { ProblemError } from '../errors.js'
import { listen } from '../listen.js'
import { answerError, sendProblem } from '../plugins/error-handler.js'
import requestId, { requestIdOf } from '../plugins/request-id.js'
import type { Metrics } from './metrics.js'

/** The port of the metrics cannot be listened on; `cause` is Node's own error. */
export class MetricsPortError extends Error {
  override readonly name = 'MetricsPortError'

  constructor (override readonly cause: unknown) {
    super('The port of the metrics cannot be listened on', { cause })
  }
}

/** Where the metrics are scraped from. */
export interface MetricsAddress {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/**
 * Builds the server that `GET /metrics` is scraped from. It is a server of its own, so that
 * the metrics need no token and stay out of the reach of callers. It does not listen.
 */
export async function buildMetricsServer (metrics: Pick<Metrics, 'contentType' | 'expose'>, log: FastifyBaseLogger): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    childLoggerFactory: log => log,
    // A scrape that is cut harms nobody; one that is only half sent would keep the process from its end.
    forceCloseConnections: true,
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError
  })
  refuseUnknownMethods(server)
  await server.register(requestId)
  server.setErrorHandler(answerError)
  server.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, new ProblemError('not_found', { detail: 'There is nothing at this path; GET /metrics is all there is' })))
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.expose()))
  return server
}

/**
 * Opens the server to scrapes, and logs where it is.
 * @throws {MetricsPortError}
 */
export async function listenForScrapes (server: FastifyInstance, { host, port }: MetricsAddress): Promise<void> {
  try {
    await listen(server, { host, port, listenTextResolver: origin => `Metrics at ${origin}/metrics` })
  } catch (error) {
    throw new MetricsPortError(error)
  }
}
