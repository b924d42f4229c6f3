import { BARE, PLAIN } from './contenders.js'
import { median, type Bench } from './measure.js'
import { startRedis } from './redis.js'
import { formatSubjects } from './report.js'
import { runRounds, type RoundsReport } from './rounds.js'

/** CPU of a command with several workers over that with one process: the goal. */
const RATIO_GOAL = 1.15

/** How many workers, and the length of the rounds. */
export interface WorkersOptions {
  readonly workers: number
  readonly rounds: number
  readonly seconds: number
}

/**
 * Loads the messenger as one process and with several workers, turn by turn, with one Redis. All of them share
 * the core of the server: what a command costs is compared, not what another core would bring.
 */
export async function runWorkers (bench: Bench, { workers, rounds, seconds }: WorkersOptions): Promise<RoundsReport> {
  const redis = await startRedis()
  const env = { REDIS_URL: redis.url }
  const contenders = [
    BARE,
    { ...PLAIN, name: 'messenger, one process', env },
    { ...PLAIN, name: `messenger, WORKERS=${workers}`, env: { ...env, WORKERS: String(workers) } }
  ]
  try {
    return await runRounds(bench, { contenders, rounds, seconds })
  } finally {
    await redis.stop()
  }
}

/** The rounds as a table, and the ratio. */
export function formatWorkers (rounds: RoundsReport): string {
  const [, one, many] = rounds.subjects
  const ratios = many?.cpuRatios.map((ratio, round) => ratio / (one?.cpuRatios[round] ?? NaN)) ?? []
  const ratio = median(ratios)
  return ['', formatSubjects(rounds), '',
    `CPU of a command, several workers / one process: ${ratio.toFixed(2)} x (by round ${ratios.map(ratio => ratio.toFixed(2)).join(', ')}); ` +
      `goal: at most ${RATIO_GOAL} x: ${ratio <= RATIO_GOAL ? 'met' : 'MISSED'}`, ''
  ].join('\n')
}
