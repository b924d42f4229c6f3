import t from 'tap'
import { readOptions } from '../../../src/cli/device/options.js'
import { thrownBy } from '../../helpers/thrown-by.js'

const USUAL = {
  imeis: ['gate'],
  protocolVersion: undefined,
  claims: {},
  username: undefined,
  password: undefined,
  reply: undefined,
  replyRate: 1,
  replyDelayMs: [0, 0],
  offline: undefined,
  isPersistent: false,
  prints: true
}

t.test('is one device that answers at once where nothing else is asked for', async t => {
  t.strictSame(readOptions(['gate']), USUAL)
})

t.test('takes all that a device can be told', async t => {
  const args = ['gate', '--count', '10', '--protocol', '3.1.1', '--claim', 'tenant=acme', '--username', '{imei}', '--password', 'x',
    '--reply', 'done', '--reply-rate', '0.5', '--reply-delay', '50-200', '--offline-every', '60', '--offline-for', '1.5', '--persistent', '--print']
  const options = readOptions(args)
  t.strictSame(options, {
    imeis: ['gate-01', 'gate-02', 'gate-03', 'gate-04', 'gate-05', 'gate-06', 'gate-07', 'gate-08', 'gate-09', 'gate-10'],
    protocolVersion: '3.1.1',
    claims: { tenant: 'acme' },
    username: '{imei}',
    password: 'x',
    reply: 'done',
    replyRate: 0.5,
    replyDelayMs: [50, 200],
    offline: { everyMs: 60_000, forMs: 1_500 },
    isPersistent: true,
    prints: true
  })
})

t.test('prints the commands of one device, and counts those of many', async t => {
  t.equal(readOptions(['gate', '--count', '2'])?.prints, false)
  t.strictSame(readOptions(['sim', '--count', '1000'])?.imeis.filter((_, index) => index % 999 === 0), ['sim-0001', 'sim-1000'])
})

t.test('is offline for five seconds where that is not said, and takes so many milliseconds for every answer', async t => {
  t.strictSame(readOptions(['gate', '--offline-every', '60'])?.offline, { everyMs: 60_000, forMs: 5_000 })
  t.strictSame(readOptions(['gate', '--reply-delay', '50'])?.replyDelayMs, [50, 50])
  t.equal(readOptions(['gate', '--protocol', '5'])?.protocolVersion, '5')
})

t.test('is nothing where help is asked for, whatever else is', async t => {
  t.equal(readOptions(['--help']), undefined)
  t.equal(readOptions(['a', 'b', '--help']), undefined)
})

const delay = '--reply-delay must be milliseconds, such as 50, or two such numbers, such as 50-200'
for (const [args, message] of [
  [[], 'name one imei'],
  [['a', 'b'], 'name one imei'],
  [['a/b'], 'imei cannot stand in a topic: it must be 1-64 of 0-9 A-Z a-z _ -, not a/b'],
  [['x'.repeat(64), '--count', '2'], `imei cannot stand in a topic: it must be 1-64 of 0-9 A-Z a-z _ -, not ${'x'.repeat(64)}-1`],
  [['a', '--count', '0'], '--count must be a whole number, 1 to 10000'],
  [['a', '--count', '1.5'], '--count must be a whole number, 1 to 10000'],
  [['a', '--count', '10001'], '--count must be a whole number, 1 to 10000'],
  [['a', '--count', 'many'], '--count must be a number, not many'],
  [['a', '--count', ''], '--count must be a number, not empty'],
  [['a', '--protocol', '4'], '--protocol must be 5 or 3.1.1'],
  [['a', '--password', 'x'], '--password needs --username'],
  [['a', '--claim', 'tenant'], '--claim must be KEY=VALUE, not tenant'],
  [['a', '--reply-rate', '1.1'], '--reply-rate must be a number, 0 to 1'],
  [['a', '--reply-rate', '1e-1'], '--reply-rate must be a number, not 1e-1'],
  [['a', '--reply-delay', '200-50'], delay],
  [['a', '--reply-delay', '1-2-3'], delay],
  [['a', '--reply-delay', '99999999999'], delay],
  [['a', '--reply-delay', 'soon'], '--reply-delay must be a number, not soon'],
  [['a', '--offline-for', '5'], '--offline-for needs --offline-every'],
  [['a', '--offline-every', '0'], '--offline-every must be seconds, above 0 and at most 1073741'],
  [['a', '--offline-every', '5', '--offline-for', '1073742'], '--offline-for must be seconds, above 0 and at most 1073741'],
  [['a', '--offline-every', '5', '--offline-for', 'x'], '--offline-for must be a number, not x']
] as const) {
  t.test(`says "${message}" of ${args.join(' ').slice(0, 80)}`, async t => {
    t.equal(thrownBy(Error, () => readOptions(args)).message, message)
  })
}

t.test('says which option there is not', async t => {
  t.match(thrownBy(TypeError, () => readOptions(['a', '--cuont', '5'])).message, /^Unknown option '--cuont'/)
})
