import type { Test } from 'tap'
import { createScope } from '../helpers/scope.js'
import { runFuzz, type FuzzOptions, type Result } from './fuzz.js'
import { formatResult } from './report.js'

/** Runs a short form and shows what came of it; the seed that repeats it at once, whatever happens. */
export async function runShort (t: Test, changes: Partial<FuzzOptions>): Promise<Result> {
  const options: FuzzOptions = { subject: 'messenger', profile: 'narrow', cases: 3_000, batch: 250, seed: 1, shrinkLimitMs: 30_000, ...changes }
  t.comment(`seed ${options.seed}`)
  const scope = createScope()
  try {
    const result = await runFuzz(scope, options, () => {})
    t.comment(formatResult(result))
    return result
  } finally {
    await scope.close()
  }
}
