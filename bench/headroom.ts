import { BARE, PLAIN, startContender, type Contender } from './contenders.js'
import { runLoad, type PacedTurn } from './load.js'
import { measure, median, type Bench } from './measure.js'
import { readCpuUs } from './proc.js'
import { BODIES } from './request.js'
import type { Subject } from './subjects.js'

/** p99 over p50 at this share of the capacity: the goal. */
export const P99_GOAL = 3

/** Share of the capacity at which latency is measured. */
const SHARE = 0.8

const WARM_UP_COMMANDS = 40_000

/** Of each turn, in which the capacity is found. */
const FULL_S = 0.3

/** Of each turn, in which latency is measured. */
const PACED_S = 0.5

/** Share of the turns that are taken for quiet: those with the least p50, whatever their p99. Where the queue grows, p50 grows with it. */
const QUIET = 0.5

/** Turns of each load that are not counted: until the program that makes it is compiled, it is not fast enough itself. */
const COLD_TURNS = 2

/** Requests of each connection, at least, by which a capacity is found. */
const FULL_PER_CONNECTION = 4

/** Latency of one server with room to spare. */
export interface Headroom {
  /** Share of its core that the server used, over all turns: where that is far below {@link SHARE}, something else was the limit. */
  readonly busy: number
  readonly all: Latency
  readonly quiet: Latency
  readonly turns: readonly PacedTurn[]
}

/** The middle of some turns. */
export interface Latency {
  /** Requests a second, at most. */
  readonly capacity: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the two. */
  readonly ratio: number
}

/** The messenger, and what its machine does to a server that has next to nothing to do. */
export interface HeadroomReport {
  readonly messenger: Headroom
  readonly bare: Headroom
}

/** Finds the capacity of each, and what its callers wait at {@link SHARE} of it, again and again: in so many loads of so many turns, one server after the other. */
export async function runHeadroom (bench: Bench, options: { readonly rounds: number, readonly seconds: number }): Promise<HeadroomReport> {
  const bare = await prepare(bench, BARE)
  const messenger = await prepare(bench, PLAIN)
  const turns = Math.max(1, Math.round(options.seconds / (FULL_S + PACED_S)))
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const entrant of [bare, messenger]) await load(bench, entrant, turns)
  }
  await Promise.all([bare.subject.stop(), messenger.subject.stop()])
  return { messenger: summarize(messenger), bare: summarize(bare) }
}

/** A server, and the turns that it has had. */
interface Entrant {
  readonly subject: Subject
  /** Requests a second, about. */
  readonly rate: number
  readonly turns: PacedTurn[]
  /** By load, as {@link Headroom.busy}. */
  readonly busy: number[]
}

async function prepare (bench: Bench, contender: Contender): Promise<Entrant> {
  const subject = await startContender(bench, contender)
  await measure(bench, subject, WARM_UP_COMMANDS)
  const { requestsPerS: rate } = await measure(bench, subject, WARM_UP_COMMANDS)
  return { subject, rate, turns: [], busy: [] }
}

async function load ({ broker, credentials: { headers }, connections }: Bench, { subject, rate, turns, busy }: Entrant, count: number): Promise<void> {
  const pace = {
    share: SHARE,
    turns: COLD_TURNS + count,
    fullRequests: Math.max(connections * FULL_PER_CONNECTION, Math.round(rate * FULL_S)),
    pacedRequests: Math.round(rate * SHARE * PACED_S)
  }
  const amount = pace.turns * (pace.fullRequests + pace.pacedRequests)
  const cpuBeforeUs = readCpuUs(subject.pid)
  const result = await runLoad({ url: subject.url, headers, bodies: BODIES, connections, amount, pace })
  busy.push((readCpuUs(subject.pid) - cpuBeforeUs) / (result.seconds * 1e6))
  await broker.settle(subject.publishes ? amount : 0)
  turns.push(...(result.turns ?? []).slice(COLD_TURNS))
}

function summarize ({ turns, busy }: Entrant): Headroom {
  const byP50 = turns.toSorted((one, other) => one.p50Ms - other.p50Ms)
  return { busy: median(busy), all: middleOf(turns), quiet: middleOf(byP50.slice(0, Math.ceil(QUIET * turns.length))), turns }
}

function middleOf (turns: readonly PacedTurn[]): Latency {
  const middle = (column: keyof PacedTurn) => median(turns.map(turn => turn[column]))
  const [p50Ms, p99Ms] = [middle('p50Ms'), middle('p99Ms')]
  return { capacity: middle('capacity'), p50Ms, p99Ms, ratio: p99Ms / p50Ms }
}

/** The same as lines of text. */
export function formatHeadroom ({ messenger, bare }: HeadroomReport): string {
  return [
    formatOne('messenger', messenger),
    formatOne('bare Fastify', bare),
    `p99 / p50 of the messenger; goal: at most ${P99_GOAL} x: ${judge(messenger.all, bare.all)}; in quiet turns: ${judge(messenger.quiet, bare.quiet)}`
  ].join('\n')
}

function formatOne (name: string, { busy, all, quiet, turns }: Headroom): string {
  const format = ({ p50Ms, p99Ms, ratio }: Latency) => `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${ratio.toFixed(2)} x`
  return `At ${SHARE * 100} % of ${all.capacity.toFixed(0)} requests/s, ${name}, its core ${Math.round(busy * 100)} % busy: ` +
    `${format(all)} in the middle of ${turns.length} turns; ${format(quiet)} in that of the half with the least p50`
}

/** Where a server that has next to nothing to do misses the goal, too, it says nothing of the messenger. */
function judge (messenger: Latency, bare: Latency): string {
  if (messenger.ratio <= P99_GOAL) return 'met'
  return bare.ratio <= P99_GOAL ? 'MISSED' : 'not to be told on this machine, where bare Fastify misses it, too'
}
