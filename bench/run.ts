import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startBroker } from './broker.js'
import { runBulk } from './bulk.js'
import type { Bench } from './measure.js'
import { requireProc } from './proc.js'
import { killAll, pinProcesses, stopAll } from './processes.js'
import { formatBulk, formatReport, type Report } from './report.js'
import { createCredentials } from './request.js'
import { runRounds } from './rounds.js'
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
  /** Whether to compare bulk requests with single ones, and nothing else. */
  readonly bulk: boolean
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

async function main ({ rounds, seconds, connections, soak, bulk, json }: Options): Promise<void> {
  requireProc()
  const isPinned = pinProcesses()
  if (!isPinned) say('warning: taskset with cores 0 and 1 is not to be had: nothing is pinned, and the load disturbs the servers')
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version, load: loadavg()[0] ?? 0, isPinned, connections }
  say(Object.entries(machine).map(([name, value]) => `${name} ${value}`).join(', '))

  const broker = await startBroker()
  try {
    const bench: Bench = { broker, credentials: createCredentials(), connections, say }
    if (bulk) {
      const report = { machine, bulk: await runBulk(bench, { rounds, seconds }) }
      say(formatBulk(report.bulk))
      write(json, report)
      return
    }
    const report: Report = {
      machine,
      start: await runStarts(bench, STARTS),
      rounds: await runRounds(bench, { rounds, seconds }),
      ...(soak > 0 && { soak: await runSoak(bench, soak) })
    }
    say(formatReport(report))
    write(json, report)
  } finally {
    await broker.stop()
  }
}

function write (json: string | undefined, report: object): void {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
}

function readOptions (): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      soak: { type: 'string', default: '0' },
      bulk: { type: 'boolean', default: false },
      json: { type: 'string' }
    }
  })
  const count = (name: 'rounds' | 'seconds' | 'connections' | 'soak', least: number, most: number) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`--${name} must be a whole number, ${least} to ${most}`)
    return value
  }
  const connections = count('connections', 1, 10_000)
  const soak = count('soak', 0, 100_000_000)
  // Each of the ten slices needs a request for every connection.
  if (soak > 0 && soak < connections * 10) throw new RangeError(`--soak must be 0, or at least ${connections * 10}`)
  return { rounds: count('rounds', 1, 100), seconds: count('seconds', 1, 600), connections, soak, bulk: values.bulk, json: values.json }
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
