import type { Scope } from '../helpers/scope.js'
import type { Timeline } from './timeline.js'

const EVERY_MS = 20

/** From here on the suite's own halt is a fault, in milliseconds. */
const LIMIT_MS = 100

/**
 * Watches the suite itself. The link runs in it: where the machine gives it no time,
 * the link stalls, and the server is right to run out of patience.
 */
export function watchStalls (scope: Scope, timeline: Timeline) {
  let lastMs = performance.now()
  let totalMs = 0
  const timer = setInterval(() => {
    const nowMs = performance.now()
    if (nowMs - lastMs > EVERY_MS + LIMIT_MS) {
      timeline.begin('suite-stall', lastMs)
      timeline.end()
      totalMs += nowMs - lastMs
    }
    lastMs = nowMs
  }, EVERY_MS)
  scope.teardown(() => { clearInterval(timer) })
  return {
    /** How long the suite stood still so far, all together, in milliseconds. */
    get totalMs () { return totalMs }
  }
}
