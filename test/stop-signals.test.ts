import t from 'tap'
import { createStopSignals } from '../src/stop-signals.js'
import { createFakeClock } from './helpers/fake-clock.js'

t.test('stops at the first signal, and by force only at one that comes more than a second later', async t => {
  const { clock, advance } = createFakeClock()
  const told: string[] = []
  const take = createStopSignals(clock, { stop (signal) { told.push(`stop ${signal}`) }, force (signal) { told.push(`force ${signal}`) } })
  take('SIGINT')
  take('SIGINT')
  advance(1_000)
  take('SIGTERM')
  t.strictSame(told, ['stop SIGINT'])
  advance(1)
  take('SIGINT')
  t.strictSame(told, ['stop SIGINT', 'force SIGINT'])
})
