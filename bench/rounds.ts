import { measure, median, type Bench, type Measurement } from './measure.js'
import { startBareFastify, startMessenger, startWithWorkers, type Subject } from './subjects.js'

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
  /** The second over the first, by round. */
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
  return await runTurns(bench, bare, messenger, rounds)
}

async function runTurns (bench: Bench, base: Contender, other: Contender, rounds: number): Promise<RoundsReport> {
  for (let round = 1; round <= rounds; round++) {
    for (const { subject, requests, results } of [base, other]) {
      const result = await measure(bench, subject, requests)
      results.push(result)
      bench.say(`round ${round}/${rounds}: ${subject.name}: ${describe(result)}`)
    }
  }
  await Promise.all([base.subject.stop(), other.subject.stop()])

  const cpuRatios = other.results.map(({ cpuUs }, round) => cpuUs / (base.results[round]?.cpuUs ?? NaN))
  return { subjects: [base, other].map(summarize), cpuRatios, cpuRatio: median(cpuRatios) }
}

/** Loads the messenger with one process and with several, turn by turn. @returns CPU of several over one, by round */
export async function runWorkerRounds (bench: Bench, { rounds, seconds, workers, redisUrl }: RoundsOptions & { readonly workers: number, readonly redisUrl: string }): Promise<RoundsReport> {
  const start = async (count: number) => await prepare(bench, await startWithWorkers(bench.credentials, bench.broker, count, redisUrl), seconds)
  const one = await start(1)
  const many = await start(workers)
  return await runTurns(bench, one, many, rounds)
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
