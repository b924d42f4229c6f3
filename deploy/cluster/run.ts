import { parseArgs } from 'node:util'
import { createScope, endOnInterrupt } from '../../test/helpers/scope.js'
import { runDrill } from './drill.js'

const { values } = parseArgs({
  options: {
    /** How long commands are sent. */
    seconds: { type: 'string', default: '300' },
    /** Commands each second. */
    rate: { type: 'string', default: '300' }
  }
})

const scope = createScope()
endOnInterrupt(() => scope.close())

try {
  const passes = await runDrill(scope, { seconds: atLeastOne('seconds'), rate: atLeastOne('rate') }, line => { process.stdout.write(`${line}\n`) })
  if (!passes) process.exitCode = 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await scope.close()
}

function atLeastOne (name: keyof typeof values): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name} must be a whole number, at least 1`)
  return value
}
