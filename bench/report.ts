import { BULK, GO_NAME, PLAIN } from './contenders.js'
import { formatHeadroom, type HeadroomReport } from './headroom.js'
import { compareCpu, CPU_RATIO_GOAL, type RoundsReport } from './rounds.js'
import { RSS_CHANGE_GOAL, type SoakReport } from './soak.js'
import { START_GOAL_MS, type StartReport } from './start.js'

/** Everything a run came to; also what `results.json` has. */
export interface Report {
  readonly machine: Readonly<Record<string, string | number | boolean>>
  readonly start: StartReport
  readonly rounds: RoundsReport
  readonly headroom: HeadroomReport
  /** Only where a soak was asked for. */
  readonly soak?: SoakReport
}

/** The report as text, each result with its goal. A goal that is missed is said, not enforced. */
export function formatReport ({ machine, start, rounds, headroom, soak }: Report): string {
  const least = Math.min(...rounds.cpuRatios).toFixed(2)
  const most = Math.max(...rounds.cpuRatios).toFixed(2)
  const { rateRatio } = rounds
  return [
    '',
    formatSubjects(rounds),
    '',
    `CPU, messenger / bare Fastify: ${rounds.cpuRatio.toFixed(2)} x (by round ${least} to ${most}); ` +
      goal(rounds.cpuRatio <= CPU_RATIO_GOAL, `at most ${CPU_RATIO_GOAL} x`),
    ...(rateRatio === undefined
      ? []
      : [`Requests/s, messenger / usual code: ${rateRatio.toFixed(2)} x; ` + goal(rateRatio > 1, 'above 1 x')]),
    ...formatGo(rounds, machine),
    ...formatBulk(rounds),
    formatHeadroom(headroom),
    `Start to first 200: ${start.medianMs.toFixed(0)} ms (at most ${Math.max(...start.timesMs).toFixed(0)}); ` +
      goal(start.medianMs < START_GOAL_MS, `under ${START_GOAL_MS} ms`),
    ...(soak === undefined ? [] : [formatSoak(soak)]),
    ''
  ].join('\n')
}

/** The medians of the rounds, a contender a line. */
export function formatSubjects ({ subjects }: RoundsReport): string {
  const rows = subjects.map(({ name, requestsPerS, p50Ms, p99Ms, p999Ms, cpuUs, cpuRatio, busy, rssMiB }) => [
    name, requestsPerS.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), p999Ms.toFixed(2), cpuUs.toFixed(1), cpuRatio.toFixed(2), `${(busy * 100).toFixed(0)} %`, rssMiB.toFixed(1)
  ])
  return formatTable([['median of rounds', 'commands/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'CPU µs', 'x bare', 'core busy', 'RSS MiB'], ...rows])
}

/** The goal is for HS256, where least of the difference is that the messenger remembers tokens that it has verified. */
function formatGo ({ subjects }: RoundsReport, { algorithm }: Report['machine']): string[] {
  const [messenger, go] = [PLAIN.name, GO_NAME].map(wanted => subjects.find(({ name }) => name === wanted))
  if (go === undefined) return []
  const { ratio, text } = compareCpu(messenger, go)
  return [`CPU, messenger / Go, ${String(algorithm)}: ${text}${algorithm === 'HS256' ? `; ${goal(ratio < 1, 'below 1 x')}` : ''}`]
}

/** CPU of a command in a bulk over that of a single one: the goal. */
const BULK_RATIO_GOAL = 1 / 3

function formatBulk ({ subjects }: RoundsReport): string[] {
  const bulk = subjects.find(({ name }) => name === BULK.name)
  const single = subjects.find(({ name }) => name === PLAIN.name)
  if (bulk === undefined || single === undefined) return []
  const ratio = bulk.cpuUs / single.cpuUs
  return [`CPU of a command, ${BULK.name} / single: ${ratio.toFixed(2)} x; ` + goal(ratio <= BULK_RATIO_GOAL, 'at most a third')]
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
export function formatTable (rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  return rows.map(row => row.map((cell, column) => {
    const width = widths[column] ?? 0
    return column === 0 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ')).join('\n')
}
