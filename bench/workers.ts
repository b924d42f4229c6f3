import { BARE, PLAIN } from './contenders.js'
import type { Bench } from './measure.js'
import { startRedis } from './redis.js'
import { formatSubjects } from './report.js'
import { compareCpu, runRounds, type RoundsReport } from './rounds.js'

/** CPU of a command with several workers over that with one process: the goal. */
const RATIO_GOAL = 1.15

/** How many workers, and the length of the rounds. */
export interface WorkersOptions {
  readonly workers: number
  readonly rounds: number
  readonly seconds: number
}

/**
 * Loads the messenger and bare Fastify as one process and with several workers, turn by turn, with one Redis. All of them share
 * the core of the server: what a command costs is compared, not what another core would bring. What bare Fastify costs in
 * several processes is what processes that take turns on one core cost, whatever they do.
 */
export async function runWorkers (bench: Bench, { workers, rounds, seconds }: WorkersOptions): Promise<RoundsReport> {
  const redis = await startRedis()
  const [several, env] = [{ WORKERS: String(workers) }, { REDIS_URL: redis.url }]
  const contenders = [
    BARE,
    { ...BARE, name: `bare Fastify, WORKERS=${workers}`, script: 'subjects/bare-workers.js', env: several },
    { ...PLAIN, name: 'messenger, one process', env },
    { ...PLAIN, name: `messenger, WORKERS=${workers}`, env: { ...env, ...several } }
  ]
  try {
    // autocannon takes so much of its core that the server is often out of requests, and what is measured is how often it wakes.
    return await runRounds({ ...bench, overSockets: true }, { contenders, rounds, seconds })
  } finally {
    await redis.stop()
  }
}

/** The rounds as a table, and the ratios. */
export function formatWorkers (rounds: RoundsReport): string {
  const [bareOne, bareSeveral, one, several] = rounds.subjects
  const bare = compareCpu(bareSeveral, bareOne)
  const messenger = compareCpu(several, one)
  const verdict = messenger.ratio <= RATIO_GOAL ? 'met' : bare.ratio > RATIO_GOAL ? 'not to be told on this machine, where bare Fastify misses it, too' : 'MISSED'
  return ['', formatSubjects(rounds), '',
    `CPU of a command, several workers / one process, bare Fastify: ${bare.text}`,
    `CPU of a command, several workers / one process, messenger: ${messenger.text}; goal: at most ${RATIO_GOAL} x: ${verdict}`, ''
  ].join('\n')
}
