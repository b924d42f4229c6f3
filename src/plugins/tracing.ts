import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { traceparentOf, tracestateOf, type TraceContext } from '../tracing/trace-context.js'
import type { RequestSpan, Tracing } from '../tracing/tracing.js'
import { whenOver } from '../when-over.js'
import { loggedPathOf } from './request-log.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes spans; undefined: nothing is traced. */
    tracing: Tracing | undefined
  }
  interface FastifyRequest {
    /** Its span; null: nothing is traced, or not this. */
    span: RequestSpan | null
  }
}

export interface TracingPluginOptions {
  /** Of the receiver, without `/v1/traces`; undefined: nothing is traced. */
  readonly endpoint: string | undefined
  readonly serviceName: string
}

/**
 * Decorates `fastify.tracing` and gives each request a span, but those of probes, from when it is received until it was
 * answered or its caller has gone. Without an endpoint there is nothing of it: no hook, no library.
 */
export default fp(async (fastify: FastifyInstance, { endpoint, serviceName }: TracingPluginOptions) => {
  fastify.decorateRequest('span', null)
  if (endpoint === undefined) {
    fastify.decorate('tracing', undefined)
    return
  }
  const { createTracing } = await import('../tracing/tracing.js')
  const tracing = createTracing({ endpoint, serviceName, log: fastify.log })
  fastify.decorate('tracing', tracing)

  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.servedWhileStopping !== true) begin(tracing, request, reply)
    done()
  })

  fastify.addHook('onResponse', (request, reply, done) => {
    request.span?.end(reply.statusCode)
    done()
  })

  // After the connection to the broker: its last waits end with it.
  fastify.addHook('onClose', async () => { await tracing.stop() })
}, { name: 'tracing' })

function begin (tracing: Tracing, request: FastifyRequest, reply: FastifyReply): void {
  const { method, protocol, id, headers, is404, routeOptions } = request
  const span = tracing.startRequest({
    method,
    route: is404 ? undefined : routeOptions.url,
    path: loggedPathOf(request),
    scheme: protocol,
    requestId: id,
    traceparent: traceparentOf(headers.traceparent),
    tracestate: tracestateOf(headers.tracestate)
  })
  request.span = span
  // Where the caller has gone, no response is ever finished; but its connection is closed.
  whenOver(request, reply, () => { span.end(reply.raw.writableFinished ? reply.statusCode : undefined) })
}

/** What the publishes of a request are children of: its span, or without one the caller's. */
export function traceContextOf ({ span, headers }: FastifyRequest): TraceContext {
  return span === null ? { traceparent: traceparentOf(headers.traceparent), tracestate: undefined } : { traceparent: span.traceparent, tracestate: span.tracestate }
}
