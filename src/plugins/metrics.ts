import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import type { Metrics } from '../metrics/metrics.js'
import { measureRequests } from '../metrics/request-metrics.js'
import { buildMetricsServer, listenForScrapes } from '../metrics/server.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What this server counts; undefined where nobody is to scrape it. */
    metrics: Metrics | undefined
  }
}

export interface MetricsOptions {
  /** Address to listen on. */
  readonly host: string
  /** Port of `GET /metrics`, 0 for a free one; undefined: nothing is counted. */
  readonly port: number | undefined
  /** Whether another process serves what is counted: no port is opened. */
  readonly isScrapedElsewhere: boolean
  readonly clock: Clock
}

/**
 * Decorates `fastify.metrics` and has it scraped at a port of its own, from before the
 * server is ready until its last request was answered. A plugin that counts something
 * registers after this one and adds its metrics where they are defined.
 * Without a port there is nothing of it: no hook, no listener, no library.
 */
export default fp(async (fastify: FastifyInstance, { host, port, isScrapedElsewhere, clock }: MetricsOptions) => {
  if (port === undefined) {
    fastify.decorate('metrics', undefined)
    return
  }
  // prom-client takes 10 MiB and some 50 ms to load.
  const { createMetrics } = await import('../metrics/metrics.js')
  const metrics = createMetrics()
  fastify.decorate('metrics', metrics)
  measureRequests(fastify, metrics, clock)

  if (isScrapedElsewhere) return
  const server = await buildMetricsServer(metrics, fastify.log)
  fastify.addHook('onReady', async () => { await listenForScrapes(server, { host, port }) })
  fastify.addHook('onClose', async () => { await server.close() })
}, { name: 'metrics' })
