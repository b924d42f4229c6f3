import fc from 'fast-check'
import t from 'tap'
import { batchOf } from './batch.js'

t.test('makes batches of one size', async t => {
  const sizes = fc.sample(batchOf(fc.nat(), 20), 5).map(batch => batch.length)
  t.strictSame(sizes, [20, 20, 20, 20, 20])
})

t.test('shrinks to the one item that matters, made as simple as it can be', async t => {
  const details = fc.check(fc.property(batchOf(fc.nat(100_000), 50), batch => batch.every(one => one < 4_321)), { seed: 1 })
  t.strictSame(details.counterexample, [[4_321]])
})

t.test('shrinks to the two items that only matter together', async t => {
  const holds = (batch: readonly number[]) => !(batch.some(one => one % 2 === 0) && batch.some(one => one % 2 === 1))
  const details = fc.check(fc.property(batchOf(fc.nat(100), 50), holds), { seed: 1 })
  t.equal(details.counterexample?.[0].length, 2)
})

t.test('repeats a failure by seed and path', async t => {
  const property = fc.property(batchOf(fc.nat(100_000), 50), batch => batch.every(one => one < 4_321))
  const { counterexamplePath } = fc.check(property, { seed: 1 })
  t.strictSame(fc.check(property, { seed: 1, path: String(counterexamplePath), endOnFailure: true }).counterexample, [[4_321]])
})
