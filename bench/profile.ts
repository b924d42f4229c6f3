import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Profiler } from 'node:inspector'
import { PLAIN } from './contenders.js'
import { measure, type Bench } from './measure.js'
import { formatTable } from './report.js'
import { startSubject } from './subjects.js'

const WARM_UP_COMMANDS = 40_000

/** Rows of the table. */
const TOP = 40

/** Commands a second, about, by which the length of a load becomes their number. */
const RATE = 10_000

/**
 * Loads the messenger with V8's profiler on and writes what it saw, for any viewer of `.cpuprofile` files.
 * @returns the functions in which most time was spent, as text
 */
export async function runProfile (bench: Bench, { seconds, out = '.' }: { readonly seconds: number, readonly out: string | undefined }): Promise<string> {
  const { broker, credentials } = bench
  const folder = mkdtempSync(join(tmpdir(), 'messenger-profile-'))
  try {
    const subject = await startSubject({
      ...PLAIN, publishes: true, broker, credentials, env: {}, flags: ['--cpu-prof', `--cpu-prof-dir=${folder}`]
    })
    await measure(bench, subject, WARM_UP_COMMANDS)
    await measure(bench, subject, seconds * RATE)
    await subject.stop()
    const [name = ''] = readdirSync(folder)
    const file = join(out, 'messenger.cpuprofile')
    const profile: Profiler.Profile = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    // The two may be on different disks.
    copyFileSync(join(folder, name), file)
    return `${formatTop(profile)}\n\nwritten: ${file}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Where the process itself was, without what it had called, by room and by function; idle time is left out. */
function formatTop ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byRoom = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let totalUs = 0
  for (const [index, id] of samples.entries()) {
    const { functionName, url, lineNumber } = frames.get(id) ?? { functionName: '', url: '', lineNumber: 0 }
    if (functionName === '(idle)') continue
    const us = timeDeltas[index] ?? 0
    totalUs += us
    add(byRoom, roomOf(functionName, url), us)
    add(byFunction, `${functionName || '(anonymous)'} ${url.replace(/^.*\/(node_modules|src)\//, '')}:${lineNumber + 1}`, us)
  }
  const toTable = (title: string, usBy: Map<string, number>, rows: number): string => {
    const top = [...usBy].sort(([, a], [, b]) => b - a).slice(0, rows)
    return formatTable([[title, 'share'], ...top.map(([name, us]) => [name, `${(us / totalUs * 100).toFixed(1)} %`])])
  }
  return `${toTable('room', byRoom, TOP)}\n\n${toTable('function', byFunction, TOP)}`
}

function add (usBy: Map<string, number>, name: string, us: number): void {
  usBy.set(name, (usBy.get(name) ?? 0) + us)
}

/** A package, a room of `src/`, a module of Node, or what has no file, e.g. `(garbage collector)` or native code. */
function roomOf (functionName: string, url: string): string {
  const [, installed] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (installed !== undefined) return installed
  const [, room] = /\/src\/([^/]+)/.exec(url) ?? []
  if (room !== undefined) return `src/${room}`
  const [, module] = /^node:(?:internal\/)?([^/]+)/.exec(url) ?? []
  if (module !== undefined) return `node:${module}`
  return functionName.startsWith('(') ? functionName : 'native code'
}
