import { startBroker } from './broker.js'
import { PLAIN, startContender } from './contenders.js'
import { openFarLink } from './far-link.js'
import { measure } from './measure.js'
import { pinProcesses } from './processes.js'
import { requireProc } from './proc.js'
import { startRedis } from './redis.js'
import { createCredentials } from './request.js'
import { leaveNothing } from './with-broker.js'

/** What a broker adds to a round trip, in milliseconds. */
const ROUND_TRIPS_MS = [0, 20]

/** Mosquitto's default for what it takes unacknowledged, and what docs/brokers.md has it set to. */
const RECEIVE_MAXIMA = [20, 1000]

const CONNECTIONS = 64

const WARM_UP_COMMANDS = 2_000

const SECONDS = 5

await leaveNothing(async () => {
  requireProc()
  pinProcesses()
  await measureAll()
})

/** What one connection to the broker carries, by its latency, its window, and the number of processes with a connection of their own. */
async function measureAll (): Promise<void> {
  const redis = await startRedis()
  say('round trip  Receive Maximum  WORKERS  commands/s  p50 ms  p99 ms')
  for (const receiveMaximum of RECEIVE_MAXIMA) {
    for (const roundTripMs of ROUND_TRIPS_MS) {
      for (const workers of [1, 2]) await measureOne({ receiveMaximum, roundTripMs, workers, redisUrl: redis.url })
    }
  }
  await redis.stop()
}

interface Setting {
  readonly receiveMaximum: number
  readonly roundTripMs: number
  readonly workers: number
  /** Several workers must have one. */
  readonly redisUrl: string
}

async function measureOne ({ receiveMaximum, roundTripMs, workers, redisUrl }: Setting): Promise<void> {
  const broker = await startBroker({ receiveMaximum, noDelay: true })
  const link = roundTripMs === 0 ? undefined : await openFarLink(broker.url, roundTripMs)
  const bench = { broker: { ...broker, url: link?.url ?? broker.url }, credentials: createCredentials(), connections: CONNECTIONS, say }
  const subject = await startContender(bench, { ...PLAIN, env: { WORKERS: String(workers), REDIS_URL: redisUrl } })
  const { requestsPerS } = await measure(bench, subject, WARM_UP_COMMANDS)
  const measured = await measure(bench, subject, Math.round(requestsPerS * SECONDS))
  say([`${roundTripMs} ms`.padStart(10), receiveMaximum, workers, measured.requestsPerS.toFixed(0), measured.p50Ms.toFixed(1), measured.p99Ms.toFixed(1)]
    .map((cell, column) => String(cell).padStart([10, 15, 7, 10, 6, 6][column] ?? 0)).join('  '))
  await subject.stop()
  link?.close()
  await broker.stop()
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
