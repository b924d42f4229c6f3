import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import type { Clock } from '../clock.js'
import type { Snapshot } from './messages.js'

/** A worker that takes longer over its figures is counted with those of the scrape before, in milliseconds. */
const ANSWER_LIMIT_MS = 1_000

/** Asks a worker for its figures, which come back by the number of the scrape. */
export type Ask = (scrape: number) => void

/**
 * The metrics of all workers as those of one server. Gauges are added up, those of the event loop
 * as prom-client says. What a worker that ended had counted stays in the sum, so that no counter
 * goes back: all of it after an orderly end, as of the last scrape where it was killed.
 * @param count how many workers there are to be
 */
export function createSharedMetrics (clock: Clock, count: number) {
  const own = new Registry()
  const registers = [own]
  new Gauge({ name: 'messenger_workers_wanted', help: 'Workers that there are to be: WORKERS', registers }).set(count)
  const running = new Gauge({ name: 'messenger_workers', help: 'Workers that serve', registers })
  const ends = new Counter({ name: 'messenger_worker_ends_total', help: 'Workers that ended though nobody had asked for it', registers })
  const asks = new Map<number, Ask>()
  const known = new Map<number, Snapshot>()
  const pending = new Map<number, { readonly missing: Set<number>, readonly done: () => void }>()
  let past: Promise<Snapshot> = Promise.resolve([])
  let scrapes = 0

  function expect (scrape: number): Promise<void> {
    return new Promise(resolve => {
      const cancel = clock.after(ANSWER_LIMIT_MS, finish)
      pending.set(scrape, { missing: new Set(asks.keys()), done: finish })
      function finish (): void {
        cancel()
        pending.delete(scrape)
        resolve()
      }
    })
  }

  /** One worker less to wait for. */
  function settle (scrape: number, worker: number): void {
    const open = pending.get(scrape)
    open?.missing.delete(worker)
    if (open?.missing.size === 0) open.done()
  }

  return {
    contentType: own.contentType,
    /** A worker serves. */
    add (worker: number, ask: Ask): void {
      asks.set(worker, ask)
      running.set(asks.size)
    },
    /** A worker has told its figures. Those of one that was removed are counted already. */
    take (worker: number, scrape: number | undefined, snapshot: Snapshot): void {
      if (!asks.has(worker)) return
      known.set(worker, snapshot)
      if (scrape !== undefined) settle(scrape, worker)
    },
    /** A worker has ended. What it counted is kept; what it held, such as memory and connections, is not. */
    remove (worker: number, isUnasked: boolean): void {
      if (isUnasked) ends.inc()
      asks.delete(worker)
      running.set(asks.size)
      for (const scrape of pending.keys()) settle(scrape, worker)
      const counted = known.get(worker)?.filter(({ type }) => String(type) !== 'gauge')
      known.delete(worker)
      if (counted === undefined) return
      past = past.then(before => AggregatorRegistry.aggregate([[...before], counted]).getMetricsAsJSON())
    },
    /** Everything, as Prometheus reads it. */
    async expose (): Promise<string> {
      if (asks.size > 0) {
        scrapes++
        const answered = expect(scrapes)
        for (const ask of asks.values()) ask(scrapes)
        await answered
      }
      const all = [await own.getMetricsAsJSON(), [...await past], ...[...known.values()].map(snapshot => [...snapshot])]
      return await AggregatorRegistry.aggregate(all).metrics()
    }
  }
}
export type SharedMetrics = ReturnType<typeof createSharedMetrics>
