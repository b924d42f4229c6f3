import t from 'tap'
import { createBackOff } from '../../src/workers/back-off.js'

t.test('replaces a worker at once that had lived, and ever later those that end early', async t => {
  const backOff = createBackOff()
  t.equal(backOff(5_000), 0)
  t.strictSame(Array.from({ length: 9 }, () => backOff(4_999)), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
  t.equal(backOff(60_000), 0)
  t.equal(backOff(0), 100)
})
