import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { until } from './until.js'

interface Attribute { readonly key: string, readonly value: Readonly<Record<string, unknown>> }

/** A span as OTLP/JSON writes it, as far as tests read it. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly Attribute[]
  readonly links?: ReadonlyArray<{ readonly traceId: string, readonly spanId: string }>
  readonly status: { readonly code: number, readonly message?: string }
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
}

/** Attributes by name, whatever their types. */
export function valuesOf (attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

/** A receiver of OTLP over HTTP, JSON only, that keeps all spans. */
export async function startOtlpReceiver (t: Test) {
  const spans: ReceivedSpan[] = []
  const resources: Array<Record<string, unknown>> = []
  const requests: Array<{ url: string | undefined, headers: IncomingHttpHeaders }> = []
  const script = { status: 200, isStalled: false }
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request))
    requests.push({ url: request.url, headers: request.headers })
    if (script.isStalled) return
    response.writeHead(script.status, { 'content-type': 'application/json' }).end('{}')
    if (script.status !== 200) return
    for (const { resource, scopeSpans } of body.resourceSpans) {
      resources.push(valuesOf(resource.attributes))
      for (const scope of scopeSpans) spans.push(...scope.spans)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    spans,
    resources,
    requests,
    script,
    named: (name: string) => spans.filter(span => span.name === name),
    count: (n: number) => until(() => spans.length >= n, `${n} spans`)
  }
}
