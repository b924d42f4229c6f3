import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { skipWithoutMosquitto } from '../helpers/mosquitto.js'
import { runMix, type MixOptions } from './mix.js'
import { SEED_LIMIT } from './random.js'
import { formatResult, type Result, violationsIn } from './report.js'
import { SHORT_MIX } from './short-forms.js'

/** Runs a mix and shows what came of it; the seed that repeats it at once, whatever happens. */
async function run (t: Test, changes: Partial<MixOptions>): Promise<Result> {
  const options = { ...SHORT_MIX, ...changes }
  t.comment(`seed ${options.seed}`)
  const result = await runMix(t, options, () => {})
  t.comment(formatResult(result))
  return result
}

t.test('keeps its promises while the link fails as it did before', { skip: skipWithoutMosquitto }, async t => {
  const result = await run(t, {})
  t.strictSame(violationsIn(result), [], 'nothing is found')
  t.ok(result.verdict.counts.publishes >= SHORT_MIX.publishes)
})

t.test('keeps its promises while the link fails at random, at a broker with a window of 20', { skip: skipWithoutMosquitto }, async t => {
  const result = await run(t, { seed: randomInt(SEED_LIMIT), brokerWindow: 20 })
  t.strictSame(violationsIn(result), [], 'nothing is found')
})

t.test('answers only 200 while nothing fails', { skip: skipWithoutMosquitto }, async t => {
  const result = await run(t, { faults: [] })
  t.strictSame(violationsIn(result), [], 'nothing is found')
  const { publishes, commands, accepted, ...rest } = result.verdict.counts
  t.strictSame(rest, { notSent: 0, unknown: 0, other: 0 })
  t.strictSame([publishes, accepted], [commands, commands])
})
