import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { startBroker } from './broker.js'
import { BARE, CONTENDERS, createGo, PLAIN, USUAL } from './contenders.js'
import { drawResults } from './draw.js'
import { buildGo } from './go.js'
import { formatGrowth, runGrowth } from './growth.js'
import { runHeadroom } from './headroom.js'
import type { Bench } from './measure.js'
import { readOptions, type Options } from './options.js'
import { requireProc } from './proc.js'
import { killAll, pinProcesses, stopAll } from './processes.js'
import { runProfile } from './profile.js'
import { formatReport, type Report } from './report.js'
import { createCredentials } from './request.js'
import { runRounds } from './rounds.js'
import { runSoak } from './soak.js'
import { runStarts } from './start.js'
import { formatWorkers, runWorkers } from './workers.js'

/** How often the start is measured. */
const STARTS = 5

process.on('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { process.exit(1) })

try {
  await main(readOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await stopAll()
}

async function main (options: Options): Promise<void> {
  const { connections, algorithm } = options
  requireProc()
  const isPinned = pinProcesses()
  if (!isPinned) say('warning: taskset with cores 0 and 1 is not to be had: nothing is pinned, and the load disturbs the servers')
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version, load: loadavg()[0] ?? 0, isPinned, connections, algorithm }
  say(Object.entries(machine).map(([name, value]) => `${name} ${value}`).join(', '))

  const broker = await startBroker()
  try {
    await run({ broker, credentials: createCredentials(algorithm), connections, say }, machine, options)
  } finally {
    await broker.stop()
  }
}

async function run (bench: Bench, machine: Report['machine'], options: Options): Promise<void> {
  const { mode, hasGo, rounds, seconds, soak, out } = options
  if (mode === 'profile') {
    say(await runProfile(bench, { seconds, out }))
    return
  }
  if (mode === 'growth') {
    const growth = await runGrowth(bench, { seconds })
    say(formatGrowth(growth))
    write(out, 'growth.json', toJson({ machine, growth }))
    return
  }
  if (mode === 'workers') {
    say(formatWorkers(await runWorkers(bench, options)))
    return
  }
  const contenders = [...mode === 'all' ? CONTENDERS : [BARE, USUAL, PLAIN], ...hasGo ? [createGo(buildGo())] : []]
  const report: Report = {
    machine,
    start: await runStarts(bench, STARTS),
    rounds: await runRounds(bench, { contenders, rounds, seconds }),
    headroom: await runHeadroom(bench, { rounds, seconds }),
    ...(soak > 0 && { soak: await runSoak(bench, soak) })
  }
  say(formatReport(report))
  write(out, 'results.json', toJson(report))
  write(out, 'results.svg', drawResults(report))
}

function toJson (value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function write (folder: string | undefined, name: string, text: string): void {
  if (folder === undefined) return
  const file = join(folder, name)
  writeFileSync(file, text)
  say(`written: ${file}`)
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
