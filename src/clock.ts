/**
 * Time as an argument, so that a test decides when a deadline passes.
 * Sockets keep real time whatever clock our code is given.
 */
export interface Clock {
  /** Wall-clock time, Unix milliseconds: for what another machine will read. */
  wallMs(): number
  /** Monotonic milliseconds from an arbitrary start: for every duration and deadline. */
  nowMs(): number
  /**
   * Calls `run` once, after `delayMs` milliseconds, and after what had arrived by then was read: a process that
   * stood still, or was busy, must not take for late what came in time.
   * @returns a function that cancels the call; calling it afterwards does nothing.
   */
  after(delayMs: number, run: () => void): () => void
}

/** The machine's own clock. Its timers keep the process alive. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  nowMs: () => performance.now(),
  after (delayMs, run) {
    let turn: NodeJS.Immediate | undefined
    // Node.js runs timers before it reads its sockets, and immediates after.
    const timer = setTimeout(() => { turn = setImmediate(run) }, delayMs)
    return () => {
      clearTimeout(timer)
      clearImmediate(turn)
    }
  }
}
