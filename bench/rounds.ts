import { BARE, PLAIN, startContender, USUAL, type Contender } from './contenders.js'
import { measure, median, type Bench, type Measurement } from './measure.js'
import type { Subject } from './subjects.js'

/** CPU of the messenger over that of bare Fastify: the goal. */
export const CPU_RATIO_GOAL = 1.8

/** Commands before the first round: by then V8 has compiled what it will. */
const WARM_UP_COMMANDS = 40_000

/** What the rounds say of one contender: the median of each column over the rounds. */
export interface Summary extends Measurement {
  readonly name: string
  /** CPU over that of bare Fastify, the median over the rounds; and the least and the most. */
  readonly cpuRatio: number
  readonly cpuRatios: readonly number[]
}

/** What the rounds came to. */
export interface RoundsReport {
  readonly subjects: readonly Summary[]
  /** Of the messenger, by round. */
  readonly cpuRatios: readonly number[]
  readonly cpuRatio: number
  /** Requests a second, the messenger over the usual code; undefined where that was not measured. */
  readonly rateRatio: number | undefined
}

/** Length of the rounds. */
export interface RoundsOptions {
  readonly contenders: readonly Contender[]
  readonly rounds: number
  /** Of each load, about: its requests are counted by the rate of the warm-up. */
  readonly seconds: number
}

/** Loads all servers turn by turn, so that whatever else the machine does meets all of them. */
export async function runRounds (bench: Bench, { contenders, rounds, seconds }: RoundsOptions): Promise<RoundsReport> {
  const entrants: Entrant[] = []
  for (const contender of contenders) entrants.push(await enter(bench, contender, seconds))
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, subject, commands, results } of entrants) {
      const result = await measure(bench, subject, commands, contender)
      results.push(result)
      bench.say(`round ${round}/${rounds}: ${contender.name}: ${describe(result)}`)
    }
  }
  await Promise.all(entrants.map(({ subject }) => subject.stop()))

  const bare = entrants.find(({ contender }) => contender === BARE)
  const subjects = entrants.map(entrant => summarize(entrant, bare))
  const find = (wanted: Contender) => subjects[contenders.indexOf(wanted)]
  const { cpuRatio = NaN, cpuRatios = [], requestsPerS = NaN } = find(PLAIN) ?? {}
  const usual = find(USUAL)
  return { subjects, cpuRatio, cpuRatios, rateRatio: usual && requestsPerS / usual.requestsPerS }
}

interface Entrant {
  readonly contender: Contender
  readonly subject: Subject
  /** Commands of each round. */
  readonly commands: number
  readonly results: Measurement[]
}

async function enter (bench: Bench, contender: Contender, seconds: number): Promise<Entrant> {
  const subject = await startContender(bench, contender)
  const result = await measure(bench, subject, WARM_UP_COMMANDS, contender)
  bench.say(`warm-up: ${contender.name}: ${describe(result)}`)
  return { contender, subject, commands: Math.round(result.requestsPerS * seconds), results: [] }
}

function describe ({ requests, requestsPerS, cpuUs }: Measurement): string {
  return `${requests} commands, ${requestsPerS.toFixed(0)}/s, ${cpuUs.toFixed(1)} µs CPU each`
}

function summarize ({ contender: { name }, results }: Entrant, bare: Entrant | undefined): Summary {
  const middle = (column: keyof Measurement) => median(results.map(result => result[column]))
  const cpuRatios = results.map(({ cpuUs }, round) => cpuUs / (bare?.results[round]?.cpuUs ?? NaN))
  return {
    name,
    cpuRatios,
    cpuRatio: median(cpuRatios),
    requests: middle('requests'),
    requestsPerS: middle('requestsPerS'),
    p50Ms: middle('p50Ms'),
    p99Ms: middle('p99Ms'),
    p999Ms: middle('p999Ms'),
    cpuUs: middle('cpuUs'),
    busy: middle('busy'),
    rssMiB: middle('rssMiB')
  }
}

/** CPU of one contender over that of another, the median over the rounds. */
export function compareCpu (one: Summary | undefined, other: Summary | undefined) {
  const ratios = one?.cpuRatios.map((ratio, round) => ratio / (other?.cpuRatios[round] ?? NaN)) ?? []
  const ratio = median(ratios)
  return { ratio, text: `${ratio.toFixed(2)} x (by round ${ratios.map(ratio => ratio.toFixed(2)).join(', ')})` }
}
