import t from 'tap'
import { ProblemError } from '../../src/errors.js'
import { fingerprintOf, nameRecord, readIdempotencyKey } from '../../src/idempotency/key.js'
import { thrownBy } from '../helpers/thrown-by.js'

t.test('finds no key where there is no header', async t => {
  t.equal(readIdempotencyKey(undefined), undefined)
})

for (const [header, key] of [
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ['a"b\\c', 'a"b\\c'],
  ['a,b', 'a,b'],
  ['!~', '!~'],
  ['x'.repeat(255), 'x'.repeat(255)],
  [`"${'x'.repeat(255)}"`, 'x'.repeat(255)]
]) {
  t.test(`reads ${header?.slice(0, 40)} as ${key?.slice(0, 40)}`, async t => {
    t.equal(readIdempotencyKey(header), key)
  })
}

for (const [why, header] of Object.entries({
  'is empty': '',
  'is empty in quotes': '""',
  'is too long': 'x'.repeat(256),
  'has a blank': 'a b',
  'has a blank in quotes': '"a b"',
  'was sent twice': 'a, b',
  'was sent twice in quotes': '"a", "b"',
  'has no closing quote': '"a',
  'has a quote that is not escaped': '"a"b"',
  'has an escape of nothing': '"a\\"',
  'has an escape of something else': '"a\\b"',
  'has a parameter': '"a";b=1',
  'has a tab': 'a\tb',
  'has a blank that is none of HTTP': '\xa0a',
  'was sent twice, once empty': 'a, ',
  'has a letter beyond ASCII': 'ä'
})) {
  t.test(`refuses one that ${why}`, async t => {
    t.equal(thrownBy(ProblemError, () => readIdempotencyKey(header)).code, 'invalid_idempotency_key')
  })
}

t.test('names another record for another issuer, subject, route or key', async t => {
  const scope = { issuer: 'i', subject: 's', route: '/r', key: 'k' }
  const names = [
    scope, { ...scope, issuer: 'j' }, { ...scope, issuer: undefined }, { ...scope, subject: 't' }, { ...scope, route: '/q' }, { ...scope, key: 'l' },
    { ...scope, subject: 's","/r', route: '', key: '' }
  ].map(nameRecord)
  t.equal(new Set(names).size, names.length)
  t.equal(nameRecord({ ...scope }), names[0])
  t.ok(names.every(name => /^[\w-]{43}$/.test(name)))
})

t.test('takes the fingerprint of members, not of their order', async t => {
  const fingerprint = fingerprintOf({ imei: '1', micro_op: 'up', ttl: 5 })
  t.equal(fingerprintOf({ ttl: 5, micro_op: 'up', imei: '1' }), fingerprint)
  t.equal(fingerprintOf({ a: [{ x: 1, y: 2 }] }), fingerprintOf({ a: [{ y: 2, x: 1 }] }))
  for (const other of [{ imei: '1', micro_op: 'up' }, { imei: '1', micro_op: 'up', ttl: 6 }, { imei: '1', micro_op: 'down', ttl: 5 }, [1, 2], [2, 1], null]) {
    t.not(fingerprintOf(other), fingerprint)
  }
  t.not(fingerprintOf([1, 2]), fingerprintOf([2, 1]))
})
