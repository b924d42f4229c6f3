import { createScope, endOnInterrupt } from '../helpers/scope.js'
import { runFuzz } from './fuzz.js'
import { readOptions } from './options.js'
import { formatResult, passes } from './report.js'

const scope = createScope()

endOnInterrupt(() => scope.close())

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  const options = readOptions(process.argv.slice(2))
  say(`seed ${options.seed}`)
  const result = await runFuzz(scope, options, say)
  say(formatResult(result))
  if (!passes(result)) process.exitCode = 1
} catch (error) {
  say(error instanceof Error ? error.stack ?? error.message : String(error))
  process.exitCode = 1
} finally {
  await scope.close()
}
