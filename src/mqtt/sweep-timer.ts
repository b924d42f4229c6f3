import type { Clock } from '../clock.js'

/** One timer for many deadlines: it runs `sweep` at the earliest of those that it was told, and then has to be told the next. */
export function createSweepTimer (clock: Clock, sweep: () => void) {
  let atMs = Infinity
  let cancelTimer = () => {}

  function cancel (): void {
    cancelTimer()
    atMs = Infinity
  }

  return {
    /** Forgets what it was told. */
    cancel,
    /** @param deadlineMs in milliseconds of {@link Clock.nowMs} */
    sweepBy (deadlineMs: number): void {
      if (deadlineMs >= atMs) return
      cancelTimer()
      atMs = deadlineMs
      cancelTimer = clock.after(Math.max(0, deadlineMs - clock.nowMs()), () => {
        atMs = Infinity
        sweep()
      })
    }
  }
}
