import Fastify, { type FastifyServerOptions } from 'fastify'
import { systemClock } from '../clock.js'
import type { Config } from '../config/config.js'
import { settingsOf } from '../config/env.js'
import { listen } from '../listen.js'
import { buildMetricsServer, listenForScrapes } from '../metrics/server.js'
import { startWorkers } from './primary.js'

/**
 * Starts the primary: it opens the port of the metrics, tries the one of the server, and has workers serve there.
 * @param environment what the configuration was read from
 * @throws {MetricsPortError} where the port of the metrics cannot be listened on
 * @throws {WorkerStartError} where no worker comes up
 * @throws {Error} Node's own, by its `syscall` and `code`, where the port of the server cannot be listened on
 */
export async function startPrimary (config: Config, environment: NodeJS.ProcessEnv, logger: NonNullable<FastifyServerOptions['logger']>) {
  const { log } = Fastify({ logger })
  await tryAddress(config)
  const scraped = config.metricsPort === undefined ? undefined : await openMetrics(config.host, config.metricsPort)

  async function openMetrics (host: string, port: number) {
    const { createSharedMetrics } = await import('./shared-metrics.js')
    const metrics = createSharedMetrics(systemClock, config.workers)
    const server = await buildMetricsServer(metrics, log)
    await listenForScrapes(server, { host, port })
    return { metrics, server }
  }

  try {
    const workers = await startWorkers({ count: config.workers, clock: systemClock, log, settings: settingsOf(environment), metrics: scraped?.metrics })
    return {
      log,
      /** Stops the workers, and then the metrics. @throws where a worker was killed meanwhile */
      async stop (): Promise<void> {
        try {
          await workers.stop()
        } finally {
          await scraped?.server.close()
        }
      }
    }
  } catch (error) {
    await scraped?.server.close()
    throw error
  }
}

/** Listens for a moment: what is wrong with the address is then said once, and in the words of a single process. */
async function tryAddress ({ host, port }: Config): Promise<void> {
  const probe = Fastify()
  await listen(probe, { host, port })
  await probe.close()
}
