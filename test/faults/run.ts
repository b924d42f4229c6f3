import { createScope, endOnInterrupt, type Scope } from '../helpers/scope.js'
import { runDrill } from './drills/run-drill.js'
import { runMix } from './mix.js'
import { readOptions, type Options } from './options.js'
import { formatResult, type Result, violationsIn } from './report.js'

let scope = createScope()

endOnInterrupt(() => scope.close())

try {
  await main(readOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function main ({ mix, drills, drill }: Options): Promise<void> {
  say(`seed ${mix.seed}`)
  const runs: Array<(scope: Scope) => Promise<Result>> = drills.length === 0
    ? [scope => runMix(scope, mix, say)]
    : drills.map(name => scope => runDrill(scope, name, drill, say))
  for (const run of runs) {
    scope = createScope()
    try {
      const result = await run(scope)
      say(formatResult(result))
      if (violationsIn(result).length > 0) process.exitCode = 1
    } finally {
      await scope.close()
    }
  }
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
