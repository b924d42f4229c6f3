import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What V8 writes of one process, as far as it is read here. */
interface Report {
  readonly result: ReadonlyArray<{ readonly url: string }>
  readonly 'source-map-cache'?: Readonly<Record<string, unknown>>
}

/** Where tap takes what it reports from. */
const REPORTS = resolve('.tap/coverage')

const SOURCES = pathToFileURL(resolve('.compiled/src')).href

/**
 * A command to start a program by, without what tap puts into it: tap would have each of its modules pass through a thread of its own,
 * which takes three times the CPU of the start itself, also where nothing is measured.
 */
export function withoutTap (command: string, args: readonly string[]): [string, string[]] {
  return ['env', ['-u', 'NODE_OPTIONS', command, ...args]]
}

/** Has programs measured by Node.js itself, where tap measures what the tests run. */
export function createCoverage () {
  if (process.env._TAPJS_PROCESSINFO_COVERAGE_ !== '1') return { env: {}, collect () {} }
  const dir = mkdtempSync(join(tmpdir(), 'messenger-coverage-'))
  return {
    /** Settings of the program. */
    env: { NODE_V8_COVERAGE: dir },
    /** Hands what has been written so far, of `src`, to tap: by a program that ended by itself, and its workers. */
    collect (): void {
      if (existsSync(dir)) {
        for (const file of readdirSync(dir)) handOver(readReport(join(dir, file)))
        rmSync(dir, { recursive: true, maxRetries: 3 })
      }
    }
  }
}

/** What was written; nothing, where the program was killed meanwhile. */
function readReport (file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { result: [] }
  }
}

function handOver ({ result, 'source-map-cache': maps = {} }: Report): void {
  const isSource = (url: string) => url.startsWith(SOURCES)
  const report = {
    result: result.filter(({ url }) => isSource(url)),
    'source-map-cache': Object.fromEntries(Object.entries(maps).filter(([url]) => isSource(url)))
  }
  mkdirSync(REPORTS, { recursive: true })
  writeFileSync(join(REPORTS, `${randomUUID()}.json`), JSON.stringify(report))
}
