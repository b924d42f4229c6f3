import { PLAIN, startContender } from './contenders.js'
import { measure, median, type Bench, type Measurement } from './measure.js'
import { COLD_S } from './socket-load.js'

/** p99 over p50 at this share of the capacity: the goal. */
export const P99_GOAL = 3

/** Share of the capacity at which latency is measured. */
const SHARE = 0.8

const WARM_UP_COMMANDS = 40_000

/** Latency with room to spare. */
export interface HeadroomReport {
  /** Requests a second: what the server was given, of what it could. */
  readonly rate: number
  readonly capacity: number
  /** Share of its core that the server used meanwhile. Where the core of the load is the limit, less than that of the rate in the capacity. */
  readonly busy: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Finds the capacity of the messenger, and then what its callers wait at {@link SHARE} of it: in the middle of so many loads. */
export async function runHeadroom (bench: Bench, { rounds, seconds }: { readonly rounds: number, readonly seconds: number }): Promise<HeadroomReport> {
  const subject = await startContender(bench, PLAIN)
  await measure(bench, subject, WARM_UP_COMMANDS)
  const { requestsPerS: capacity } = await measure(bench, subject, WARM_UP_COMMANDS)
  const rate = Math.round(capacity * SHARE)
  const loads: Measurement[] = []
  for (let round = 1; round <= rounds; round += 1) loads.push(await measure(bench, subject, rate * (COLD_S + seconds), { rate }))
  await subject.stop()
  return { rate, capacity, busy: median(loads.map(load => load.busy)), p50Ms: median(loads.map(load => load.p50Ms)), p99Ms: median(loads.map(load => load.p99Ms)) }
}

/** The same as a line of text. */
export function formatHeadroom ({ rate, capacity, busy, p50Ms, p99Ms }: HeadroomReport): string {
  const ratio = p99Ms / p50Ms
  return `At ${rate} of ${capacity.toFixed(0)} requests/s, its core ${Math.round(busy * 100)} % busy: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${ratio.toFixed(2)} x; ` +
    `goal: at most ${P99_GOAL} x: ${ratio <= P99_GOAL ? 'met' : 'MISSED'}`
}
