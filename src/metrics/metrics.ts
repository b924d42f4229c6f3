import { Counter, Gauge, Registry } from 'prom-client'
import { createHistogram } from './histogram.js'
import { processMetrics } from './process-metrics.js'

/** What one server counts. */
export type Metrics = ReturnType<typeof createMetrics>

/**
 * Upper bounds of the buckets of every duration, in seconds: from a broker next door, which
 * acknowledges in less than a millisecond, to beyond the default time-outs of queue and publish.
 */
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * A set of metrics that has those of the process and is added to. It has a registry of
 * its own: several servers in one process do not count into each other.
 *
 * Every set of label values is a series that is kept for good. They must be few and known
 * beforehand: never an IMEI, a `sub`, a topic, or a path as a caller wrote it.
 */
export function createMetrics () {
  const registry = Registry.merge([processMetrics()])
  const registers = [registry]

  /**
   * Adds a counter. Its name ends in `_total`.
   * @returns makes the series of these label values, which is there from then on, at 0
   */
  function counter<L extends string = never> (name: string, help: string, labelNames: readonly L[] = []) {
    const all: Array<{ readonly labels: Readonly<Record<L, string>>, count: number }> = []
    // Counted here, and told to prom-client when it is asked: it makes a text of the labels for each event.
    const metric = new Counter({
      name,
      help,
      labelNames,
      registers,
      collect () {
        metric.reset()
        for (const { labels, count } of all) metric.inc(labels, count)
      }
    })
    return (labels: Readonly<Record<L, string>>) => {
      const series = { labels, count: 0 }
      all.push(series)
      return {
        /** Counts one event. */
        inc (): void { series.count += 1 }
      }
    }
  }

  /**
   * Adds a histogram of durations. Its name ends in `_seconds`, which is what it is given.
   * @returns makes the series of these label values, which is there from then on, at 0
   */
  function durations<L extends string> (name: string, help: string) {
    const { metric, createSeries } = createHistogram<L>({ name, help, buckets: BUCKETS_S })
    registry.registerMetric(metric)
    return createSeries
  }

  /** Adds a gauge, which is read at each scrape and costs nothing in between. */
  function gauge (name: string, help: string, read: () => number): void {
    registry.registerMetric(new Gauge({ name, help, registers: [], collect () { this.set(read()) } }))
  }

  return {
    counter,
    durations,
    gauge,
    /** Media type of {@link createMetrics | expose}. */
    contentType: registry.contentType,
    /** Everything, as Prometheus reads it. */
    expose: () => registry.metrics(),
    /** The same as data, for another process to add up. */
    read: () => registry.getMetricsAsJSON()
  }
}
