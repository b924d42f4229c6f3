import t from 'tap'
import { createSchedule, FAULT_KINDS, type FaultKind } from './schedule.js'

function first (count: number, seed: number, kinds: readonly FaultKind[] = FAULT_KINDS) {
  const schedule = createSchedule({ seed, kinds, publishTimeoutMs: 400 })
  return Array.from({ length: count }, () => schedule.next().value)
}

t.test('repeats its faults for the same seed', async t => {
  t.strictSame(first(500, 42), first(500, 42))
  t.notSame(first(5, 42), first(5, 43))
})

t.test('stays as it was for the seeds of old reports', async t => {
  t.strictSame(first(2, 1), [
    { kind: 'swallow', durationMs: 12, end: 'cut', delayMs: 589, bytesPerMs: 16, waitMs: 112, afterRecovery: true },
    { kind: 'delay', durationMs: 431, end: 'cut-late', delayMs: 274, bytesPerMs: 8, waitMs: 55, afterRecovery: false }
  ])
})

t.test('has every kind, every end, and faults before and after a recovery', async t => {
  const faults = first(500, 1)
  t.strictSame(new Set(faults.map(({ kind }) => kind)), new Set(FAULT_KINDS))
  t.strictSame(new Set(faults.map(({ end }) => end)), new Set(['heal', 'cut', 'cut-late']))
  t.strictSame(new Set(faults.map(({ afterRecovery }) => afterRecovery)), new Set([true, false]))
})

t.test('has faults that are shorter and longer than the publish time-out and than twice as long', async t => {
  const durationsMs = first(500, 1).map(({ durationMs }) => durationMs)
  t.ok(durationsMs.every(ms => ms >= 10 && ms <= 1000))
  for (const [fromMs, toMs] of [[10, 400], [400, 800], [800, 1000]] as const) {
    t.ok(durationsMs.some(ms => ms > fromMs && ms < toMs), `${fromMs} to ${toMs} ms`)
  }
})

t.test('has the kinds that are asked for and no others', async t => {
  t.strictSame(new Set(first(100, 1, ['drip', 'cut']).map(({ kind }) => kind)), new Set(['drip', 'cut']))
})
