import t from 'tap'
import { thrownBy } from '../helpers/thrown-by.js'
import { readOptions, SEED_LIMIT } from './options.js'

t.test('plays 100,000 cases with a new seed where nothing is asked for', async t => {
  const { seed, ...options } = readOptions([])
  t.strictSame(options, { cases: 100_000, batch: 250, profile: 'narrow', subject: 'messenger', shrinkLimitMs: 60_000 })
  t.ok(Number.isInteger(seed) && seed >= 0 && seed < SEED_LIMIT)
  t.not(readOptions([]).seed, seed)
})

t.test('reads what is asked for', async t => {
  const args = ['--cases', '7', '--seed', '8', '--path', '1:0:2', '--batch', '9', '--profile', 'open', '--subject', 'dies']
  t.strictSame(readOptions(args), { cases: 7, seed: 8, path: '1:0:2', batch: 9, profile: 'open', subject: 'dies', shrinkLimitMs: 60_000 })
})

t.test('says what is wrong with a command line', async t => {
  const message = (...args: string[]) => thrownBy(RangeError, () => readOptions(args)).message
  t.equal(message('--cases', '0'), '--cases must be a whole number, 1 to 100000000')
  t.equal(message('--seed', 'x'), '--seed must be a whole number, 0 to 2147483647')
  t.equal(message('--profile', 'all'), '--profile must be one of narrow, open')
  t.throws(() => readOptions(['--nonsense']), TypeError)
})
