import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startBroker } from './broker.js'
import type { Bench } from './measure.js'
import { requireProc } from './proc.js'
import { killAll, pinProcesses, stopAll } from './processes.js'
import { formatReport, formatWorkers, type Report } from './report.js'
import { startRedis } from './redis.js'
import { createCredentials } from './request.js'
import { runRounds, runWorkerRounds } from './rounds.js'
import { runSoak } from './soak.js'
import { runStarts } from './start.js'

/** How often the start is measured. */
const STARTS = 5

/** What the command line asks for. */
interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Requests of the soak; 0: none. */
  readonly soak: number
  /** More than 1: only this many workers against one process. */
  readonly workers: number
  /** File for the report; undefined: none. */
  readonly json: string | undefined
}

process.on('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { process.exit(1) })

try {
  await main(readOptions())
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await stopAll()
}

async function main ({ rounds, seconds, connections, soak, workers, json }: Options): Promise<void> {
  requireProc()
  const isPinned = pinProcesses()
  if (!isPinned) say('warning: taskset with cores 0 and 1 is not to be had: nothing is pinned, and the load disturbs the servers')
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version, load: loadavg()[0] ?? 0, isPinned, connections }
  say(Object.entries(machine).map(([name, value]) => `${name} ${value}`).join(', '))

  const broker = await startBroker()
  try {
    const bench: Bench = { broker, credentials: createCredentials(), connections, say }
    if (workers > 1) {
      const redis = await startRedis()
      const report = await runWorkerRounds(bench, { rounds, seconds, workers, redisUrl: redis.url })
      say(formatWorkers(report))
      if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, workers: report }, null, 2)}\n`)
      return
    }
    const report: Report = {
      machine,
      start: await runStarts(bench, STARTS),
      rounds: await runRounds(bench, { rounds, seconds }),
      ...(soak > 0 && { soak: await runSoak(bench, soak) })
    }
    say(formatReport(report))
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  } finally {
    await broker.stop()
  }
}

function readOptions (): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      soak: { type: 'string', default: '0' },
      workers: { type: 'string', default: '1' },
      json: { type: 'string' }
    }
  })
  const count = (name: 'rounds' | 'seconds' | 'connections' | 'soak' | 'workers', least: number, most: number) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`--${name} must be a whole number, ${least} to ${most}`)
    return value
  }
  const connections = count('connections', 1, 10_000)
  const soak = count('soak', 0, 100_000_000)
  // Each of the ten slices needs a request for every connection.
  if (soak > 0 && soak < connections * 10) throw new RangeError(`--soak must be 0, or at least ${connections * 10}`)
  return { rounds: count('rounds', 1, 100), seconds: count('seconds', 1, 600), connections, soak, workers: count('workers', 1, 128), json: values.json }
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
