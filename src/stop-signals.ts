import type { Clock } from './clock.js'

/** What asks a process to stop, or a group of them. */
export const STOP_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

/** A signal so soon after the first is the same stop, in milliseconds. */
const SAME_STOP_MS = 1_000

/**
 * Makes a function that takes signals: the first begins the stop, and one that comes more than a second later is of somebody who will
 * not wait. What comes before is the first once more: a terminal signals the whole group of processes, and npm passes on what it gets.
 */
export function createStopSignals (clock: Clock, { stop, force }: { stop(signal: string): void, force(signal: string): void }): (signal: string) => void {
  let firstMs: number | undefined
  return signal => {
    if (firstMs === undefined) {
      firstMs = clock.nowMs()
      stop(signal)
    } else if (clock.nowMs() - firstMs > SAME_STOP_MS) {
      force(signal)
    }
  }
}
