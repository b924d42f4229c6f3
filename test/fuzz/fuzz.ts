import fc from 'fast-check'
import type { Scope } from '../helpers/scope.js'
import { batchOf } from './batch.js'
import { createCases, type Case } from './cases/case.js'
import type { Finding } from './judge.js'
import { judgeMemory } from './judge-memory.js'
import { PROFILES, type ProfileName } from './model/rules.js'
import { setStage } from './stage.js'
import type { Memory, SubjectName } from './subjects/subject.js'
import { createTally } from './tally.js'

/** What a run is to do. */
export interface FuzzOptions {
  readonly subject: SubjectName
  readonly profile: ProfileName
  /** At least so many, in whole batches. */
  readonly cases: number
  /** Cases that are judged together. */
  readonly batch: number
  readonly seed: number
  /** Where a run with this seed failed: only that is done again. */
  readonly path?: string
  /** Longest time for making a failure simple, in milliseconds. */
  readonly shrinkLimitMs: number
}

/** A batch that does not hold, made as simple as time allowed. */
export interface Failure {
  readonly findings: readonly Finding[]
  readonly cases: readonly Case[]
  /** With the seed it repeats this failure. */
  readonly path: string
}

/** What a run came to. */
export interface Result {
  readonly options: FuzzOptions
  readonly tally: ReturnType<typeof createTally>
  readonly failure: Failure | undefined
  readonly memory: { readonly before: Memory, readonly after: Memory, readonly findings: readonly string[] } | undefined
  readonly seconds: number
}

/** Share of the cases after which caches are full and code is compiled, and memory is measured first. */
const WARM_UP = 0.25

const LANES = 16
const PROGRESS_MS = 5_000

/** Plays batches of cases until one does not hold or all are done, then looks at the memory. */
export async function runFuzz (scope: Scope, options: FuzzOptions, say: (line: string) => void): Promise<Result> {
  const { subject, profile, cases, batch, seed, path, shrinkLimitMs } = options
  const rules = PROFILES[profile]
  const stage = await setStage(scope, { subject, rules, lanes: LANES })
  const startMs = performance.now()
  const seconds = () => (performance.now() - startMs) / 1000
  const tally = createTally()
  const progress = setInterval(() => { say(`${seconds().toFixed()} s: ${tally.cases} cases`) }, PROGRESS_MS)
  scope.teardown(() => { clearInterval(progress) })

  let before: Memory | undefined
  let last: Pick<Failure, 'findings' | 'cases'> | undefined
  let failedAtMs = Infinity

  async function holds (cases: readonly Case[]): Promise<boolean> {
    if (performance.now() - failedAtMs > shrinkLimitMs) return true
    const { exchanges, findings } = await stage.play(cases)
    if (last === undefined) for (const exchange of exchanges) tally.add(exchange)
    if (findings.length > 0) {
      last = { findings, cases }
      if (failedAtMs === Infinity) say(`${seconds().toFixed()} s: found ${findings[0]?.what}; making it simple`)
      failedAtMs = Math.min(failedAtMs, performance.now())
      return false
    }
    if (before === undefined && tally.cases >= options.cases * WARM_UP) before = await stage.measureMemory()
    return true
  }

  const details = await fc.check(fc.asyncProperty(batchOf(createCases(rules, Math.floor(Date.now() / 1000), seed), batch), holds), {
    seed, numRuns: Math.ceil(cases / batch), ...(path !== undefined && { path })
  })
  clearInterval(progress)
  if (details.failed && last !== undefined) {
    return { options, tally, failure: { ...last, path: details.counterexamplePath ?? '' }, memory: undefined, seconds: seconds() }
  }
  const memory = before === undefined ? undefined : judgeMemory(before, await stage.measureMemory())
  return { options, tally, failure: undefined, memory, seconds: seconds() }
}
