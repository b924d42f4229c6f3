import { CPU_RATIO_GOAL, type RoundsReport } from './rounds.js'
import { RSS_CHANGE_GOAL, type SoakReport } from './soak.js'
import { START_GOAL_MS, type StartReport } from './start.js'

/** Everything a run came to; also what `--json` writes. */
export interface Report {
  readonly machine: Readonly<Record<string, string | number | boolean>>
  readonly start: StartReport
  readonly rounds: RoundsReport
  /** Only where a soak was asked for. */
  readonly soak?: SoakReport
}

/** The report as text, each result with its goal. A goal that is missed is said, not enforced. */
export function formatReport ({ start, rounds, soak }: Report): string {
  const least = Math.min(...rounds.cpuRatios).toFixed(2)
  const most = Math.max(...rounds.cpuRatios).toFixed(2)
  return [
    '',
    formatSubjects(rounds),
    '',
    `CPU, messenger / bare Fastify: ${rounds.cpuRatio.toFixed(2)} x (by round ${least} to ${most}); ` +
      goal(rounds.cpuRatio <= CPU_RATIO_GOAL, `at most ${CPU_RATIO_GOAL} x`),
    `Start to first 200: ${start.medianMs.toFixed(0)} ms (at most ${Math.max(...start.timesMs).toFixed(0)}); ` +
      goal(start.medianMs < START_GOAL_MS, `under ${START_GOAL_MS} ms`),
    ...(soak === undefined ? [] : [formatSoak(soak)]),
    ''
  ].join('\n')
}

/** CPU of several workers over that of one process: the goal. */
export const WORKERS_RATIO_GOAL = 1.15

/** The rounds of `--workers` as text. */
export function formatWorkers (rounds: RoundsReport): string {
  return ['', formatSubjects(rounds), '',
    `CPU per request, several workers / one: ${rounds.cpuRatio.toFixed(2)} x (by round ${rounds.cpuRatios.map(ratio => ratio.toFixed(2)).join(', ')}); ` +
      goal(rounds.cpuRatio <= WORKERS_RATIO_GOAL, `at most ${WORKERS_RATIO_GOAL} x`)
  ].join('\n')
}

function formatSubjects ({ subjects }: RoundsReport): string {
  const rows = subjects.map(({ name, requestsPerS, p50Ms, p99Ms, cpuUs, busy, rssMiB }) => [
    name, requestsPerS.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), cpuUs.toFixed(1), `${(busy * 100).toFixed(0)} %`, rssMiB.toFixed(1)
  ])
  return formatTable([['median of rounds', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'core busy', 'RSS MiB'], ...rows])
}

function formatSoak ({ slices, changeFromFirst, changeFromSecond, spread }: SoakReport): string {
  const rows = slices.map(({ requests, rssMiB, cpuUs }) => [String(requests), rssMiB.toFixed(1), cpuUs.toFixed(1)])
  return [
    '',
    formatTable([['soak, requests', 'RSS MiB', 'CPU µs/request'], ...rows]),
    '',
    `Resident memory at the end, against slice 1: ${formatPercent(changeFromFirst)}, against slice 2: ${formatPercent(changeFromSecond)}; ` +
      goal(Math.abs(changeFromFirst) <= RSS_CHANGE_GOAL, `within ${RSS_CHANGE_GOAL} % of slice 1`),
    `From the lowest slice to the highest: ${formatPercent(spread)}; ` + goal(spread <= RSS_CHANGE_GOAL, `within ${RSS_CHANGE_GOAL} %`)
  ].join('\n')
}

function formatPercent (percent: number): string {
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`
}

function goal (isMet: boolean, text: string): string {
  return `goal: ${text}: ${isMet ? 'met' : 'MISSED'}`
}

/** Columns as wide as their widest cell; the first to the left, numbers to the right. */
function formatTable (rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  return rows.map(row => row.map((cell, column) => {
    const width = widths[column] ?? 0
    return column === 0 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ')).join('\n')
}
