import type { Scope } from '../helpers/scope.js'
import type { Say } from './report.js'
import type { Stage } from './stage.js'

const EVERY_MS = 5_000

/** Says every few seconds how far a run is, until its scope ends. */
export function showProgress (scope: Scope, { recorder, client, subscriber, timeline }: Stage, say: Say): void {
  const startMs = performance.now()
  const timer = setInterval(() => {
    const seconds = ((performance.now() - startMs) / 1000).toFixed()
    const windows = timeline.windows.length
    say(`${seconds} s: ${recorder.publications.length} published, ${subscriber.deliveries.length} delivered, ${client.answers.length} answered, ${windows} windows of faults`)
  }, EVERY_MS)
  scope.teardown(() => { clearInterval(timer) })
}
