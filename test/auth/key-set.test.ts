import pino from 'pino'
import t from 'tap'
import { createKeySet } from '../../src/auth/key-set.js'
import type { Clock } from '../../src/clock.js'
import { createFakeClock } from '../helpers/fake-clock.js'

// What tokens make of it is in test/plugins.
t.test('goes on to ask an issuer that refuses at once, also where timers are a part of a millisecond early', async t => {
  const { clock, advance } = createFakeClock()
  const early: Clock = { ...clock, after: (delayMs, run) => clock.after(delayMs < 1 ? delayMs : delayMs - 0.5, run) }
  let asked = 0
  const keySet = createKeySet({
    clock: early,
    log: pino({ enabled: false }),
    async load () {
      asked += 1
      throw new Error('refused')
    }
  })
  t.teardown(() => { keySet.close() })
  for (const ms of [0, 30_001, 30_001, 30_001]) {
    advance(ms)
    await new Promise(resolve => { setImmediate(resolve) })
  }
  t.equal(asked, 4)
})
