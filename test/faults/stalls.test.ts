import t from 'tap'
import { until } from '../helpers/until.js'
import { watchStalls } from './stalls.js'
import { createTimeline } from './timeline.js'

t.test('takes it for a fault that the suite itself stood still', async t => {
  const timeline = createTimeline(0)
  timeline.connected(1)
  const stalls = watchStalls(t, timeline)
  const startMs = performance.now()
  while (performance.now() < startMs + 200); // nothing else runs
  const endMs = performance.now()
  await until(() => timeline.windows.length > 0 && timeline.isHealthy, 'the window')
  const [window] = timeline.windows
  t.strictSame(window?.kinds, ['suite-stall'])
  t.ok(Number(window?.startMs) <= startMs && Number(window?.endMs) >= endMs)
  t.ok(stalls.totalMs >= 200)
})
