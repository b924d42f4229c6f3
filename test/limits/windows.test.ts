import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { parseWindows } from '../../src/limits/windows.js'
import { faultsOf } from '../helpers/config.js'

t.test('reads windows of seconds, minutes, hours and days, the shortest first', async t => {
  t.strictSame(parseWindows('1/1d, 2000/1m,100/1s ,5/2h'), [
    { max: 100, lengthMs: 1_000 }, { max: 2000, lengthMs: 60_000 }, { max: 5, lengthMs: 7_200_000 }, { max: 1, lengthMs: 86_400_000 }
  ])
  t.strictSame(parseWindows('999999999/86400s'), [{ max: 999_999_999, lengthMs: 86_400_000 }])
})

t.test('has no limit where none is set', async t => {
  t.strictSame(loadConfig({}).limits, { caller: [], device: [] })
})

for (const name of ['RATE_LIMIT_CALLER', 'RATE_LIMIT_DEVICE']) {
  t.test(`does not start when ${name} is no list of windows`, async t => {
    const fault = `${name} must be windows, comma-separated, each a number and a time in s, m, h or d up to 1d, e.g. 100/1s,2000/1m`
    for (const text of [
      '100', '100/s', '0/1s', '100/0s', '-1/1s', '1.5/1s', '100/1', '100/1ms', '100/1w', '100/1S', '100/1s,', ',', '100/1s;2000/1m', '100/1s/1s', ' ', '1e3/1s',
      '1000000000/1s', '1/2d', '1/25h', '1/86401s', '100/1constructor'
    ]) {
      t.strictSame(faultsOf({ [name]: text }), [fault], JSON.stringify(text))
    }
  })

  t.test(`does not start when ${name} has two windows of one length`, async t => {
    for (const text of ['1/1s,2/1s', '1/60s,2/1m', '1/24h,5/1s,1/1d']) t.strictSame(faultsOf({ [name]: text }), [`${name} has two windows of one length`], text)
  })
}
