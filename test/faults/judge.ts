import { covers, PER_COMMAND } from './checks.js'
import type { Answer } from './client.js'
import { joinEvidence, type Evidence, type Figures } from './evidence.js'

/** How often a status was answered. */
export interface Counts {
  /** PUBLISH packets that went to the broker. */
  readonly publishes: number
  /** Requests, whatever became of them. */
  readonly commands: number
  readonly accepted: number
  readonly notSent: number
  readonly unknown: number
  /** Without an answer, or with another one. */
  readonly other: number
}

/** What was answered while nothing was wrong. */
export interface HealthyAnswers {
  readonly answers: number
  readonly accepted: number
}

/** What a run came to. */
export interface Verdict {
  readonly counts: Counts
  readonly healthy: HealthyAnswers
  /** By check: what was found, one line each. Every check is in it. */
  readonly findings: ReadonlyMap<string, readonly string[]>
}

/** Names of the checks that look at a run as a whole. */
const HEALTHY_SHARE = 'too few 200 while the link was healthy'
const STRAYS = 'published for another device, or for nobody'
const FIGURES = 'the metrics of the server say otherwise'

/** Looks for broken promises in what was seen. Pure: the same evidence, the same verdict. */
export function judge (evidence: Evidence): Verdict {
  const { cases, strays } = joinEvidence(evidence)
  const findings = new Map<string, string[]>()
  for (const [name, check] of Object.entries(PER_COMMAND)) {
    const found: string[] = []
    for (const one of cases) {
      const finding = check(one, evidence)
      if (finding !== undefined) found.push(`${one.answer.requestId}: ${finding}`)
    }
    findings.set(name, found)
  }
  const healthy = countHealthy(evidence)
  findings.set(HEALTHY_SHARE, findHealthyShare(healthy, evidence.rules.leastHealthyShare))
  findings.set(STRAYS, strays.map(({ id, requestId, topic }) => `id "${id}", request_id "${requestId}", topic "${topic}"`))
  const counts = { publishes: evidence.publications.length, ...countAnswers(evidence.answers) }
  findings.set(FIGURES, findFigures(counts, evidence.figures))
  return { counts, healthy, findings }
}

function countAnswers (answers: readonly Answer[]): Omit<Counts, 'publishes'> {
  const count = (status: number) => answers.filter(answer => answer.status === status).length
  const [accepted, notSent, unknown] = [count(200), count(406), count(504)]
  return { commands: answers.length, accepted, notSent, unknown, other: answers.length - accepted - notSent - unknown }
}

function findFigures (counts: Counts, figures: Figures | undefined): string[] {
  if (figures === undefined) return []
  const outcomes = ['accepted', 'notSent', 'unknown'] as const
  return outcomes.filter(outcome => figures[outcome] !== counts[outcome])
    .map(outcome => `${outcome}: ${figures[outcome]}, but ${counts[outcome]} callers were told so`)
}

/** Counts what was answered outside of every window of a fault. */
export function countHealthy ({ answers, windows }: Pick<Evidence, 'answers' | 'windows'>): HealthyAnswers {
  const healthy = answers.filter(({ answeredAtMs }) => !windows.some(window => covers(window, answeredAtMs)))
  return { answers: healthy.length, accepted: healthy.filter(({ status }) => status === 200).length }
}

function findHealthyShare ({ answers, accepted }: HealthyAnswers, least: number | undefined): string[] {
  // Without any answer the share is no number, and not enough either.
  return least === undefined || accepted / answers >= least ? [] : [`${accepted} of ${answers}, at least ${least * 100} % are due`]
}
