import { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes, type Context, type Link, type Span, type SpanContext } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { FastifyBaseLogger } from 'fastify'
import type { Publication, Command } from '../mqtt/publication.js'
import type { Outcome } from '../mqtt/outcome.js'
import { tellChanges } from './exporter.js'
import type { TraceContext } from './trace-context.js'

export interface TracingOptions {
  /** Where the receiver is, without `/v1/traces`. */
  readonly endpoint: string
  /** `service.name` of the resource. */
  readonly serviceName: string
  readonly log: FastifyBaseLogger
}

/** What is known of a request when it comes in. */
export interface TracedRequest extends TraceContext {
  readonly method: string
  /** As it was registered; undefined: there is none for its path and method. */
  readonly route: string | undefined
  readonly path: string
  readonly scheme: string
  readonly requestId: string
}

/** A span that goes on, and what its children are told. */
export interface RequestSpan extends TraceContext {
  readonly traceId: string
  /** @param status what was answered; undefined: the caller has gone before the answer */
  end(status: number | undefined): void
}

/** Topics as they were configured, which is what spans are named after. */
export interface PublishTemplates {
  readonly topic: string
  readonly replyTopic: string
}

/** A publish that goes on. Its trace context goes to the device. */
export interface PublishSpan extends TraceContext {
  /** @param durationMs from its start to its outcome */
  end(publication: Publication, outcome: Outcome, durationMs: number): void
  /** The reply of the device has come now. @param traceparent the device's own */
  receive(publication: Publication, waitedMs: number, traceparent: string | undefined): void
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']

/** Longest time that the last spans may take to be exported, in milliseconds: what the stop has left after the broker. */
const FLUSH_MS = 400

export type Tracing = ReturnType<typeof createTracing>

/**
 * Makes spans and exports them, in batches, as OTLP over HTTP with JSON. It is not registered anywhere: several servers in
 * one process do not mix. What is waiting to be exported has a limit, above which spans are dropped; nobody waits for it.
 * Sampler, headers and limits are read by the SDK from the `OTEL_*` variables of the process.
 */
export function createTracing ({ endpoint, serviceName, log }: TracingOptions) {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` })
  const provider = new BasicTracerProvider({
    resource: detectResources({ detectors: [envDetector] }).merge(resourceFromAttributes({ 'service.name': serviceName })),
    spanProcessors: [new BatchSpanProcessor(tellChanges(exporter, log))]
  })
  const tracer = provider.getTracer('messenger')

  function start (name: string, kind: SpanKind, parent: TraceContext, attributes: Attributes, more: { startTime?: number, links?: Link[] } = {}): Span {
    return tracer.startSpan(name, { kind, attributes, ...more }, toContext(parent))
  }

  /** Begins the span of a request, under the caller's where it names one. */
  function startRequest (request: TracedRequest): RequestSpan {
    const { route, path, scheme, requestId } = request
    const method = METHODS.includes(request.method) ? request.method : '_OTHER'
    const verb = method === '_OTHER' ? 'HTTP' : method
    const span = start(route === undefined ? verb : `${verb} ${route}`, SpanKind.SERVER, request, {
      'http.request.method': method,
      'url.path': path,
      'url.scheme': scheme,
      'messenger.request_id': requestId,
      ...(route !== undefined && { 'http.route': route }),
      ...(method !== request.method && { 'http.request.method_original': request.method })
    })
    return {
      ...toHeaders(span),
      traceId: span.spanContext().traceId,
      end (status) {
        if (!span.isRecording()) return
        if (status === undefined) {
          span.setAttribute('error.type', 'caller_gone')
        } else {
          span.setAttribute('http.response.status_code', status)
          if (status >= 500) span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR })
        }
        span.end()
      }
    }
  }

  /** Begins the span of a publish, under that of its request. */
  function startPublish (command: Command, templates: PublishTemplates): PublishSpan {
    const startTime = Date.now()
    const parent = { traceparent: command.traceparent, tracestate: command.tracestate }
    const span = start(`publish ${templates.topic}`, SpanKind.PRODUCER, parent, {
      'messaging.system': 'mqtt',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': command.topic,
      'messaging.destination.template': templates.topic
    }, { startTime })
    const own = toHeaders(span)

    function receive (publication: Publication, waitedMs: number, traceparent: string | undefined): void {
      const device = toSpanContext({ traceparent, tracestate: undefined })
      start(`receive ${templates.replyTopic}`, SpanKind.CONSUMER, own, {
        'messaging.system': 'mqtt',
        'messaging.operation.name': 'receive',
        'messaging.operation.type': 'receive',
        'messaging.destination.name': String(publication.replyTo?.topic),
        'messaging.destination.template': templates.replyTopic,
        'messaging.message.conversation_id': publication.id
      }, { startTime: startTime + waitedMs, links: device === undefined ? [] : [{ context: device }] }).end()
    }

    return {
      ...own,
      receive,
      end (publication, outcome, durationMs) {
        span.setAttributes({ 'messaging.message.id': publication.id, 'messenger.outcome': outcome.kind })
        if ('reason' in outcome) span.setAttribute('error.type', outcome.reason).setStatus({ code: SpanStatusCode.ERROR, message: outcome.kind })
        span.end(startTime + durationMs)
      }
    }
  }

  /** Exports what is left, if that can be done soon. Never rejects. */
  async function stop (): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>(resolve => { timer = setTimeout(resolve, FLUSH_MS) })
    // What went wrong was told by the exporter.
    await Promise.race([provider.shutdown().catch(() => {}), limit])
    clearTimeout(timer)
  }

  return { startRequest, startPublish, stop }
}

function toContext (parent: TraceContext): Context {
  const context = toSpanContext(parent)
  return context === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, context)
}

/** Of a checked `traceparent`. */
function toSpanContext ({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
  if (traceparent === undefined) return undefined
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  return tracestate === undefined ? spanContext : { ...spanContext, traceState: createTraceState(tracestate) }
}

function toHeaders (span: Span): TraceContext {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  const state = traceState?.serialize()
  return { traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`, tracestate: state === '' ? undefined : state }
}
