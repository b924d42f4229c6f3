import { measure, median, type Bench, type Measurement } from './measure.js'
import { startBareFastify, startMessenger, type Subject } from './subjects.js'

/** CPU of the messenger over that of bare Fastify: the goal. */
export const CPU_RATIO_GOAL = 2.2

/** Requests before the first round: by then V8 has compiled what it will. */
const WARM_UP_REQUESTS = 40_000

/** What the rounds say of one subject: the median of each column over the rounds. */
export interface SubjectSummary extends Measurement {
  readonly name: string
}

/** What the rounds came to. */
export interface RoundsReport {
  readonly subjects: readonly SubjectSummary[]
  /** Messenger over bare Fastify, by round. */
  readonly cpuRatios: readonly number[]
  readonly cpuRatio: number
}

/** Length of the rounds. */
export interface RoundsOptions {
  readonly rounds: number
  /** Of each load, about: its requests are counted by the rate of the warm-up. */
  readonly seconds: number
}

/** Loads both servers turn by turn, so that whatever else the machine does meets both. */
export async function runRounds (bench: Bench, { rounds, seconds }: RoundsOptions): Promise<RoundsReport> {
  const bare = await prepare(bench, await startBareFastify(bench.credentials), seconds)
  const messenger = await prepare(bench, await startMessenger(bench.credentials, bench.broker), seconds)
  for (let round = 1; round <= rounds; round++) {
    for (const { subject, requests, results } of [bare, messenger]) {
      const result = await measure(bench, subject, requests)
      results.push(result)
      bench.say(`round ${round}/${rounds}: ${subject.name}: ${describe(result)}`)
    }
  }
  await Promise.all([bare.subject.stop(), messenger.subject.stop()])

  const cpuRatios = messenger.results.map(({ cpuUs }, round) => cpuUs / (bare.results[round]?.cpuUs ?? NaN))
  return { subjects: [bare, messenger].map(summarize), cpuRatios, cpuRatio: median(cpuRatios) }
}

interface Contender {
  readonly subject: Subject
  /** Requests of each round. */
  readonly requests: number
  readonly results: Measurement[]
}

async function prepare (bench: Bench, subject: Subject, seconds: number): Promise<Contender> {
  const result = await measure(bench, subject, WARM_UP_REQUESTS)
  bench.say(`warm-up: ${subject.name}: ${describe(result)}`)
  return { subject, requests: Math.max(bench.connections, Math.round(result.requestsPerS * seconds)), results: [] }
}

function describe ({ requests, requestsPerS, cpuUs }: Measurement): string {
  return `${requests} requests, ${requestsPerS.toFixed(0)}/s, ${cpuUs.toFixed(1)} µs CPU each`
}

function summarize ({ subject: { name }, results }: Contender): SubjectSummary {
  const middle = (column: keyof Measurement) => median(results.map(result => result[column]))
  return {
    name,
    requests: middle('requests'),
    requestsPerS: middle('requestsPerS'),
    p50Ms: middle('p50Ms'),
    p99Ms: middle('p99Ms'),
    cpuUs: middle('cpuUs'),
    busy: middle('busy'),
    rssMiB: middle('rssMiB')
  }
}
