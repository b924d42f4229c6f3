import type { Clock } from '../../src/clock.js'

/** A clock that stands still until it is told to advance. */
export function createFakeClock (startWallMs = Date.UTC(2026, 0, 1)) {
  let elapsedMs = 0
  const timers = new Set<{ atMs: number, run: () => void }>()
  const clock: Clock = {
    wallMs: () => startWallMs + elapsedMs,
    nowMs: () => elapsedMs,
    after (delayMs, run) {
      const timer = { atMs: elapsedMs + delayMs, run }
      timers.add(timer)
      return () => { timers.delete(timer) }
    }
  }

  /** Moves time on, running every timer on the way at its own moment. */
  function advance (ms: number): void {
    const endMs = elapsedMs + ms
    for (;;) {
      const [next] = [...timers].filter(timer => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      timers.delete(next)
      elapsedMs = Math.max(elapsedMs, next.atMs)
      next.run()
    }
    elapsedMs = endMs
  }

  return { clock, advance, get pendingTimers () { return timers.size } }
}
