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
  /**
   * From the lowest slice to the highest, in percent: the first and the last may happen
   * to meet the same point of the saw-tooth that the garbage collector makes.
   */
  readonly spread: number
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

  const memory = slices.map(({ rssMiB }) => rssMiB)
  return {
    slices,
    changeFromFirst: change(memory[0], memory.at(-1)),
    changeFromSecond: change(memory[1], memory.at(-1)),
    spread: change(Math.min(...memory), Math.max(...memory))
  }
}

/** In percent. */
function change (from = NaN, to = NaN): number {
  return (to / from - 1) * 100
}
