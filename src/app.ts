import Fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { answerClientError } from './client-error.js'
import { systemClock, type Clock } from './clock.js'
import type { Config } from './config/config.js'
import auth from './plugins/auth.js'
import authorization from './plugins/authorization.js'
import cors from './plugins/cors.js'
import docs from './plugins/docs.js'
import drain from './plugins/drain.js'
import errorHandler, { answerFrameworkError } from './plugins/error-handler.js'
import httpRules from './plugins/http-rules.js'
import idempotency from './plugins/idempotency.js'
import jsonBody from './plugins/json-body.js'
import limits from './plugins/limits.js'
import metrics from './plugins/metrics.js'
import mqtt from './plugins/mqtt.js'
import notFound from './plugins/not-found.js'
import openapi from './plugins/openapi.js'
import prefer from './plugins/prefer.js'
import redis from './plugins/redis.js'
import requestId, { requestIdOf } from './plugins/request-id.js'
import requestLog from './plugins/request-log.js'
import securityHeaders from './plugins/security-headers.js'
import tracing from './plugins/tracing.js'
import { healthRoutes } from './routes/health.js'
import { bulkRoute } from './routes/messaging/bulk.js'
import { sendRoute } from './routes/messaging/send.js'

/** What tests and the start script put in place of the defaults. */
export interface AppOverrides {
  /** Default: the machine's clock. */
  readonly clock?: Clock
  /** Default: no log. */
  readonly logger?: FastifyServerOptions['logger']
  /** Whether another process serves what is counted here, so that no port is opened for it. Default false. */
  readonly isScrapedElsewhere?: boolean
  /** Longest time a request may take to arrive, in milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number
  /** Longest wait for each answer of the issuer whose keys are fetched, in milliseconds. Default 5,000. */
  readonly keyFetchTimeoutMs?: number
  /** Longest time a connection may wait for its next request, in milliseconds. Default 72,000: longer than the 60 s of most proxies, which would send into a closing connection. */
  readonly idleTimeoutMs?: number
}

/** Longest time the TLS handshake, and then the header of a request, may take to arrive, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000

/** How often Node looks for requests that take too long to arrive, in milliseconds. */
const TIMEOUT_CHECK_MS = 1_000

/** Largest body, in bytes. A route that takes more says so itself. */
const BODY_LIMIT = 16 * 1024

/**
 * Builds the server: options, then plugins and routes in the order in which a request meets them.
 * It does not listen, and connects to the broker only when it is ready.
 */
export async function buildApp (config: Config, overrides: AppOverrides = {}): Promise<FastifyInstance> {
  const { clock = systemClock, logger = false, requestTimeoutMs = 30_000, idleTimeoutMs = 72_000, keyFetchTimeoutMs, isScrapedElsewhere = false } = overrides
  const headersTimeoutMs = Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs)
  const http = {
    // Left to plugins/http-rules.
    requireHostHeader: false,
    // Node swaps the two time-outs where the one for the header is the longer, as it is by default.
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, requestTimeoutMs)
  }
  const options = {
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
    trustProxy: config.trustedProxies.length > 0 && config.trustedProxies,
    bodyLimit: BODY_LIMIT,
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    // Fastify's own puts all faults in one text, which nobody reads: of a large body that are megabytes.
    schemaErrorFormatter: () => new Error('the body does not fit its schema'),
    ajv: {
      // Nothing is coerced and nothing dropped; bodies are small, so every fault is told.
      customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true, verbose: true }
    }
  } satisfies FastifyServerOptions
  const app: FastifyInstance = config.tls === undefined
    ? Fastify({ ...options, http })
    : Fastify({ ...options, https: { ...http, ...config.tls, handshakeTimeout: headersTimeoutMs } })
  // A logger for each request costs more than its one line: the lines name the request themselves. Not by
  // `childLoggerFactory`, whose every logger Fastify checks again. So there are no child loggers at all: `Object.create`, as in answered-line.
  app.log.child = () => app.log

  await app.register(requestId)
  await app.register(tracing, config.tracing)
  await app.register(securityHeaders)
  await app.register(metrics, { host: config.host, port: config.metricsPort, isScrapedElsewhere, clock })
  await app.register(mqtt, { mqtt: config.mqtt, clock })
  await app.register(requestLog, { clock })
  await app.register(errorHandler)
  await app.register(httpRules)
  await app.register(cors, { corsOrigins: config.corsOrigins })
  await app.register(notFound)
  await app.register(drain, { clock })
  await app.register(openapi)
  await app.register(auth, { ...config.auth, keyFetchTimeoutMs, clock })
  await app.register(authorization, { ...config.auth, topic: config.mqtt.topic, isProduction: config.isProduction })
  await app.register(prefer)
  await app.register(redis, { url: config.redisUrl })
  await app.register(limits, { ...config.limits, clock })
  await app.register(idempotency, {
    ...config.idempotency,
    publishMs: config.mqtt.queueTimeoutMs + config.mqtt.publishTimeoutMs,
    clock
  })
  await app.register(jsonBody)
  await app.register(docs)
  await app.register(healthRoutes)
  await app.register(sendRoute, { microOps: config.microOps, commandTtlS: config.commandTtlS })
  await app.register(bulkRoute, {
    microOps: config.microOps,
    commandTtlS: config.commandTtlS,
    handOverMs: config.mqtt.queueTimeoutMs + config.mqtt.publishTimeoutMs,
    lastHandOverMs: config.lastHandOverMs,
    clock
  })
  return app
}
