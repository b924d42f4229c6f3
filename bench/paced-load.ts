import { percentile, type LoadJob, type Pace, type PacedTurn } from './load.js'
import { openSocketLoad, type Timing } from './socket-load.js'

/** The answers of all turns together, and each turn by itself. */
export interface PacedAnswers extends Timing {
  readonly statuses: Map<string, number>
  readonly errors: number
  readonly turns: readonly PacedTurn[]
}

/**
 * Finds, turn by turn, how many requests a server answers at most, and how long they take at a share of that. Both within a second or two:
 * a machine that others use is fast now and slow then, and what was four fifths of the capacity a minute ago may be more than all of it now.
 */
export async function runPaced (job: LoadJob, { share, turns: count, fullRequests, pacedRequests }: Pace): Promise<PacedAnswers> {
  const load = await openSocketLoad(job)
  const turns: PacedTurn[] = []
  const latencies: number[] = []
  const startMs = performance.now()
  let lastMs = startMs
  for (let turn = 0; turn < count; turn += 1) {
    const full = await load.runFull(fullRequests)
    const capacity = fullRequests / (full.lastMs - full.startMs) * 1000
    const paced = await load.runAtRate(pacedRequests, capacity * share)
    const sorted = paced.latencies.toSorted((a, b) => a - b)
    turns.push({ capacity, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) })
    latencies.push(...sorted)
    lastMs = paced.lastMs
  }
  load.close()
  return { statuses: load.statuses, errors: load.errors, latencies, startMs, lastMs, turns }
}
