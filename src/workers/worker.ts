import type { Worker } from 'node:cluster'
import type { FastifyInstance } from 'fastify'
import type { Order, Report } from './messages.js'

/** This process as one of several: tells the primary how it fares, and does what it asks. */
export function createMember (worker: Worker) {
  let app: FastifyInstance | undefined

  /** Resolves when it is on its way; also where the primary is gone, since then this process ends as well. */
  function tell (report: Report): Promise<void> {
    return new Promise(resolve => { worker.send(report, () => { resolve() }) })
  }

  async function tellMetrics (scrape?: number): Promise<void> {
    if (app?.metrics !== undefined) await tell({ kind: 'metrics', scrape, snapshot: await app.metrics.read() })
  }

  return {
    /** Number of the worker, from 1; a replacement has a new one. */
    id: worker.id,
    /** It listens. From now on it answers scrapes, and stops when it is asked to. */
    async started (serving: FastifyInstance, stop: () => void): Promise<void> {
      app = serving
      worker.on('message', async (order: Order) => {
        if (order.kind === 'stop') stop()
        else await tellMetrics(order.scrape)
      })
      await tell({ kind: 'started' })
    },
    /** It cannot start. The process ends by itself afterwards. */
    async failed (text: string): Promise<void> {
      await tell({ kind: 'failed', text })
      worker.disconnect()
    },
    /** Its last request was answered: hands over what it counted. */
    leave: () => tellMetrics()
  }
}
export type Member = ReturnType<typeof createMember>
