import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
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
      ...PLAIN, publishes: true, broker, credentials, env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` }
    })
    await measure(bench, subject, WARM_UP_COMMANDS)
    await measure(bench, subject, seconds * RATE)
    await subject.stop()
    const [name = ''] = readdirSync(folder)
    const file = join(out, 'messenger.cpuprofile')
    const profile: Profiler.Profile = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    renameSync(join(folder, name), file)
    return `${formatTop(profile)}\n\nwritten: ${file}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Where the process itself was, without what it had called; idle time is left out. */
function formatTop ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): string {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) =>
    [id, `${functionName || '(anonymous)'} ${url.replace(/^.*\/(node_modules|src)\//, '')}:${lineNumber + 1}`]))
  const selfUs = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? ''
    if (!name.startsWith('(idle)')) selfUs.set(name, (selfUs.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  const totalUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0)
  const top = [...selfUs].sort(([, a], [, b]) => b - a).slice(0, TOP)
  return formatTable([['function', 'share'], ...top.map(([name, us]) => [name, `${(us / totalUs * 100).toFixed(1)} %`])])
}
