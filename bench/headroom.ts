import { BARE, PLAIN, startContender, type Contender } from './contenders.js'
import { percentile, runLoad, type PacedTurn } from './load.js'
import { measure, median, type Bench } from './measure.js'
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

/** Share of the turns that are taken for quiet. */
const QUIET = 0.25

/** Turns of each load that are not counted: until the program that makes it is compiled, it is not fast enough itself. */
const COLD_TURNS = 2

/** Latency of one server with room to spare: the middle of all turns. */
export interface Headroom {
  readonly turns: number
  /** Requests a second, at most. */
  readonly capacity: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** p99 over p50. */
  readonly ratio: number
  /** The same of the turn that a quarter of them are not above: what the server does where its machine lets it. */
  readonly quietRatio: number
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
  return { messenger: summarize(messenger.turns), bare: summarize(bare.turns) }
}

/** A server, and the turns that it has had. */
interface Entrant {
  readonly subject: Subject
  /** Requests a second, about. */
  readonly rate: number
  readonly turns: PacedTurn[]
}

async function prepare (bench: Bench, contender: Contender): Promise<Entrant> {
  const subject = await startContender(bench, contender)
  await measure(bench, subject, WARM_UP_COMMANDS)
  const { requestsPerS: rate } = await measure(bench, subject, WARM_UP_COMMANDS)
  return { subject, rate, turns: [] }
}

async function load ({ broker, credentials: { headers }, connections }: Bench, { subject, rate, turns }: Entrant, count: number): Promise<void> {
  const pace = {
    share: SHARE, turns: COLD_TURNS + count, fullRequests: Math.round(rate * FULL_S), pacedRequests: Math.round(rate * SHARE * PACED_S)
  }
  const amount = pace.turns * (pace.fullRequests + pace.pacedRequests)
  const result = await runLoad({ url: subject.url, headers, bodies: BODIES, connections, amount, pace })
  await broker.settle(subject.publishes ? amount : 0)
  turns.push(...(result.turns ?? []).slice(COLD_TURNS))
}

function summarize (turns: readonly PacedTurn[]): Headroom {
  const middle = (column: keyof PacedTurn) => median(turns.map(turn => turn[column]))
  const ratios = turns.map(({ p50Ms, p99Ms }) => p99Ms / p50Ms).toSorted((a, b) => a - b)
  return {
    turns: turns.length, capacity: middle('capacity'), p50Ms: middle('p50Ms'), p99Ms: middle('p99Ms'), ratio: median(ratios), quietRatio: percentile(ratios, QUIET)
  }
}

/** The same as lines of text. */
export function formatHeadroom ({ messenger, bare }: HeadroomReport): string {
  const met = messenger.ratio <= P99_GOAL ? 'met' : 'MISSED'
  return `Messenger ${formatOne(messenger)}; goal: at most ${P99_GOAL} x: ${met}\nBare Fastify ${formatOne(bare)}: where that is above ${P99_GOAL} x, it is the machine`
}

function formatOne ({ turns, capacity, p50Ms, p99Ms, ratio, quietRatio }: Headroom): string {
  return `at ${SHARE * 100} % of ${capacity.toFixed(0)} requests/s: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ` +
    `${ratio.toFixed(2)} x in the middle of ${turns} turns, ${quietRatio.toFixed(2)} x in their quietest quarter`
}
