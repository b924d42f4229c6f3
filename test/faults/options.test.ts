import t from 'tap'
import { thrownBy } from '../helpers/thrown-by.js'
import { readOptions } from './options.js'
import { SEED_LIMIT } from './random.js'

const KINDS = ['cut', 'stall-up', 'stall-down', 'swallow', 'delay', 'drip']

t.test('runs the random mix with 100,000 publishes and a new seed where nothing is asked for', async t => {
  const { mix: { seed, ...mix }, drills } = readOptions([])
  t.strictSame(mix, { subject: 'messenger', publishes: 100_000, faults: KINDS, callers: 64, brokerWindow: 1_000, publishTimeoutMs: 400 })
  t.strictSame(drills, [])
  t.ok(Number.isInteger(seed) && seed >= 0 && seed < SEED_LIMIT)
  t.not(readOptions([]).mix.seed, seed)
})

t.test('reads what is asked for', async t => {
  const args = ['--publishes', '7', '--seed', '8', '--faults', 'drip,cut', '--subject', 'mqttjs-reconnect', '--callers', '9', '--broker-window', '20', '--publish-timeout-ms', '500']
  t.strictSame(readOptions(args).mix, { subject: 'mqttjs-reconnect', publishes: 7, faults: ['drip', 'cut'], seed: 8, callers: 9, brokerWindow: 20, publishTimeoutMs: 500 })
  t.strictSame(readOptions(['--faults', 'none']).mix.faults, [])
})

t.test('reads drills, one, some or all of them', async t => {
  const { drills, drill } = readOptions(['--drill', 'overload,half-open', '--seed', '1', '--kills', '2', '--rounds', '3', '--stop-s', '4', '--overload-s', '5'])
  t.strictSame(drills, ['overload', 'half-open'])
  t.strictSame(drill, { seed: 1, callers: 64, publishTimeoutMs: 400, kills: 2, rounds: 3, stopMs: 4_000, overloadMs: 5_000 })
  t.strictSame(readOptions(['--drill', 'all']).drills, ['broker-kill', 'broker-stop', 'half-open', 'server-kill', 'overload'])
})

t.test('says what is wrong with a command line', async t => {
  const message = (...args: string[]) => thrownBy(RangeError, () => readOptions(args)).message
  t.equal(message('--publishes', '0'), '--publishes must be a whole number, 1 to 100000000')
  t.equal(message('--seed', 'x'), '--seed must be a whole number, 0 to 4294967295')
  t.equal(message('--faults', 'fire'), '--faults must be of cut, stall-up, stall-down, swallow, delay, drip')
  t.equal(message('--subject', 'all'), '--subject must be of messenger, mqttjs-reconnect')
  t.throws(() => readOptions(['--nonsense']), TypeError)
})
