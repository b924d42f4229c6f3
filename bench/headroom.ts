import { BARE, PLAIN, startContender, type Contender } from './contenders.js'
import { measure, median, type Bench, type Measurement } from './measure.js'
import { COLD_S } from './socket-load.js'
import type { Subject } from './subjects.js'

/** p99 over p50 at this share of the capacity: the goal. */
export const P99_GOAL = 3

/** Share of the capacity at which latency is measured. */
const SHARE = 0.8

const WARM_UP_COMMANDS = 40_000

/** Latency of one server with room to spare. */
export interface Headroom {
  /** Requests a second: what the server was given, of what it could. */
  readonly rate: number
  readonly capacity: number
  /** Share of its core that the server used meanwhile. Where the core of the load is the limit, less than that of the rate in the capacity. */
  readonly busy: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The messenger, and what its machine does to a server that has next to nothing to do. */
export interface HeadroomReport {
  readonly messenger: Headroom
  readonly bare: Headroom
}

/** Finds the capacity of each, and then what its callers wait at {@link SHARE} of it: in the middle of so many loads, turn by turn. */
export async function runHeadroom (bench: Bench, options: { readonly rounds: number, readonly seconds: number }): Promise<HeadroomReport> {
  const bare = await prepare(bench, BARE)
  const messenger = await prepare(bench, PLAIN)
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const turn of [bare, messenger]) turn.loads.push(await measure(bench, turn.subject, turn.rate * (COLD_S + options.seconds), { rate: turn.rate }))
  }
  await Promise.all([bare.subject.stop(), messenger.subject.stop()])
  return { messenger: summarize(messenger), bare: summarize(bare) }
}

/** A server, and the loads that it has had. */
interface Turn {
  readonly subject: Subject
  readonly capacity: number
  readonly rate: number
  readonly loads: Measurement[]
}

async function prepare (bench: Bench, contender: Contender): Promise<Turn> {
  const subject = await startContender(bench, contender)
  await measure(bench, subject, WARM_UP_COMMANDS)
  const { requestsPerS: capacity } = await measure(bench, subject, WARM_UP_COMMANDS)
  return { subject, capacity, rate: Math.round(capacity * SHARE), loads: [] }
}

function summarize ({ capacity, rate, loads }: Turn): Headroom {
  return { rate, capacity, busy: median(loads.map(load => load.busy)), p50Ms: median(loads.map(load => load.p50Ms)), p99Ms: median(loads.map(load => load.p99Ms)) }
}

/** The same as lines of text. */
export function formatHeadroom ({ messenger, bare }: HeadroomReport): string {
  const met = messenger.p99Ms <= P99_GOAL * messenger.p50Ms ? 'met' : 'MISSED'
  return `Messenger ${formatOne(messenger)}; goal: at most ${P99_GOAL} x: ${met}\nBare Fastify ${formatOne(bare)}: where that is above ${P99_GOAL} x, it is the machine`
}

function formatOne ({ rate, capacity, busy, p50Ms, p99Ms }: Headroom): string {
  return `at ${rate} of ${capacity.toFixed(0)} requests/s, its core ${Math.round(busy * 100)} % busy: ` +
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${(p99Ms / p50Ms).toFixed(2)} x`
}
