import t from 'tap'
import { processMetrics } from '../../src/metrics/process-metrics.js'

t.test('watches the process once, however many ask, and keeps nothing open for it', async t => {
  const before = process.getActiveResourcesInfo()
  const metrics = processMetrics()
  t.strictSame(process.getActiveResourcesInfo(), before)
  t.equal(processMetrics(), metrics)
  t.match(await metrics.metrics(), /^nodejs_eventloop_lag_p99_seconds \d/m)
})
