import { measure, type Bench } from './measure.js'
import { startMessenger } from './subjects.js'

/** How much resident memory may change over a soak, in percent: the goal. */
export const RSS_CHANGE_GOAL = 10

const SLICES = 10

/** Memory after one slice. */
export interface Slice {
  /** Requests since the start of the process. */
  readonly requests: number
  readonly rssMiB: number
  readonly cpuUs: number
}

/** What a soak came to. */
export interface SoakReport {
  readonly slices: readonly Slice[]
  /** From after the first slice to after the last, in percent; the first fills caches and heap. */
  readonly changeFromFirst: number
  /** From after the second slice to after the last, in percent. */
  readonly changeFromSecond: number
}

/** Puts so many requests, in {@link SLICES} slices, on one messenger and watches its memory. */
export async function runSoak (bench: Bench, total: number): Promise<SoakReport> {
  const subject = await startMessenger(bench.credentials, bench.broker)
  const slices: Slice[] = []
  let requests = 0
  for (let slice = 1; slice <= SLICES; slice++) {
    const upTo = Math.round(total * slice / SLICES)
    const { rssMiB, cpuUs } = await measure(bench, subject, upTo - requests)
    requests = upTo
    slices.push({ requests, rssMiB, cpuUs })
    bench.say(`soak: ${requests} requests: ${rssMiB.toFixed(1)} MiB resident, ${cpuUs.toFixed(1)} µs CPU each`)
  }
  await subject.stop()
  return { slices, changeFromFirst: change(slices[0], slices.at(-1)), changeFromSecond: change(slices[1], slices.at(-1)) }
}

function change (from: Slice | undefined, to: Slice | undefined): number {
  return ((to?.rssMiB ?? NaN) / (from?.rssMiB ?? NaN) - 1) * 100
}
