import { randomInt } from 'node:crypto'
import t from 'tap'
import { SEED_LIMIT } from './options.js'
import { passes } from './report.js'
import { runShort } from './short-form.js'

t.test('answers the cases of a known seed as the model says, and every layer has its share', async t => {
  const result = await runShort(t, {})
  t.ok(passes(result), 'nothing is found')
  t.equal(result.tally.cases, 3_000)
  for (const [layer, requests] of result.tally.layers) t.ok(requests >= 10, `${layer} ${requests}`)
})

t.test('answers the cases of a new seed as the model says', async t => {
  t.ok(passes(await runShort(t, { seed: randomInt(SEED_LIMIT), cases: 1_500 })), 'nothing is found')
})

t.test('answers cases as the model says where any valid token is taken, and calls from a browser', async t => {
  t.ok(passes(await runShort(t, { profile: 'open', cases: 1_500 })), 'nothing is found')
})
