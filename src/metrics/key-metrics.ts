import type { ClaimResult } from '../idempotency/store.js'
import type { Metrics } from './metrics.js'

/** What became of the claim of an `Idempotency-Key`; `unavailable`: the store did not answer. */
export type KeyResult = ClaimResult['kind'] | 'unavailable'

/** Counts requests with an `Idempotency-Key`. */
export function createKeyMetrics (metrics: Metrics) {
  const keys = metrics.counter('messenger_idempotency_keys_total', 'Requests with an Idempotency-Key, by what became of its claim', ['result'])
  const series: Readonly<Record<KeyResult, ReturnType<typeof keys>>> = {
    first: keys({ result: 'first' }),
    recorded: keys({ result: 'recorded' }),
    running: keys({ result: 'running' }),
    mismatch: keys({ result: 'mismatch' }),
    lost: keys({ result: 'lost' }),
    full: keys({ result: 'full' }),
    unavailable: keys({ result: 'unavailable' })
  }
  return {
    /** A claim came to this. */
    claimed (result: KeyResult): void { series[result].inc() }
  }
}
