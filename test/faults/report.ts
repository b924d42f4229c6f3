import type { Verdict } from './judge.js'
import type { FaultWindow } from './timeline.js'

/** Writes one line. */
export type Say = (line: string) => void

/** What one run came to. */
export interface Result {
  /** What was run, and from which seed. */
  readonly name: string
  readonly verdict: Verdict
  readonly windows: readonly FaultWindow[]
  /** Figures that only this run has. */
  readonly facts: readonly string[]
  /** What a drill found beyond the verdict. */
  readonly failures: readonly string[]
}

/** How many examples of each finding are shown. */
const EXAMPLES = 5

/** What must not be, one line each; none where nothing at all was found. */
export function violationsIn ({ verdict: { findings }, failures }: Result): string[] {
  return [
    ...[...findings].flatMap(([check, found]) => found.slice(0, EXAMPLES).map(one => `${check}: ${one}`)),
    ...failures
  ]
}

/** A result as text. */
export function formatResult (result: Result): string {
  const { name, verdict: { counts, healthy, findings }, windows, facts } = result
  const violations = violationsIn(result)
  const kinds = Object.entries(countKinds(windows)).map(([kind, count]) => `${kind} ${count}`)
  const figures = [
    ['published', counts.publishes],
    ['asked for', counts.commands],
    ['answered 200', counts.accepted],
    ['answered 406', counts.notSent],
    ['answered 504', counts.unknown],
    ['answered otherwise, or not', counts.other],
    ['answered while healthy', healthy.answers],
    ['  of these 200', `${(healthy.accepted / healthy.answers * 100).toFixed(2)} %`],
    ...[...findings].map(([check, found]) => [check, found.length] as const)
  ] as const
  return [
    '',
    name,
    ...figures.map(([label, value]) => `  ${label.padEnd(56)}${String(value).padStart(10)}`),
    `  faults: ${kinds.length === 0 ? 'none' : kinds.join(', ')}`,
    ...facts.map(fact => `  ${fact}`),
    ...violations.map(violation => `  VIOLATION ${violation}`),
    violations.length === 0 ? 'passed' : 'FAILED'
  ].join('\n')
}

/** How often each kind of fault struck. */
function countKinds (windows: readonly FaultWindow[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of windows.flatMap(({ kinds }) => kinds)) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
