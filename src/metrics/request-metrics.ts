import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import type { Metrics } from './metrics.js'

/** Methods that are named; any other is `other`. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Route of a request that no route was found for, or none that takes its method. */
const NO_ROUTE = 'none'

/**
 * Measures every answer of the routes that are registered after this call, and of paths
 * without a route. The labels are a few methods, the routes as they were registered, and
 * the statuses that were answered, so that no caller can make up a series.
 */
export function measureRequests (fastify: FastifyInstance, metrics: Metrics, clock: Clock): void {
  const duration = metrics.durations<'method' | 'route' | 'status_code'>('messenger_http_request_duration_seconds',
    'From the receipt of a request to its answer')

  /** Each route keeps its own series: to look for the route in each request costs more than to measure it. */
  function createObserver (route: string) {
    const methods = new Map(METHODS.map(method => [method, createSeries(method)]))
    const others = createSeries('other')

    function createSeries (method: string) {
      const byStatus = new Map<number, ReturnType<typeof duration>>()
      return (status: number) => {
        const known = byStatus.get(status)
        if (known !== undefined) return known
        const made = duration({ method, route, status_code: String(status) })
        byStatus.set(status, made)
        return made
      }
    }

    return (request: FastifyRequest, reply: FastifyReply): void => {
      const series = methods.get(request.method) ?? others
      series(reply.statusCode).observe((clock.nowMs() - request.receivedAtMs) / 1000)
    }
  }

  fastify.addHook('onRoute', route => {
    const observe = createObserver(route.url)
    route.onResponse = [
      (request, reply, done) => {
        observe(request, reply)
        done()
      },
      ...[route.onResponse ?? []].flat()
    ]
  })

  const observeNoRoute = createObserver(NO_ROUTE)
  fastify.addHook('onResponse', (request, reply, done) => {
    if (request.is404) observeNoRoute(request, reply)
    done()
  })
}
