import type { Clock } from './clock.js'

/** Characters that are written at a time. Twice as many would hardly save more. */
const BATCH_CHARACTERS = 16_384

/** Longest time that a line waits for others, in milliseconds. */
const BATCH_MS = 100

/**
 * Makes a stream of lines that hands them on together: as soon as there are 16,384 characters, and what
 * there is after 100 ms. sonic-boom could batch by itself, but counts the bytes of all it holds again for
 * each line, which takes as long as all else about a line.
 * @param write takes whole lines, one or many
 */
export function createBatchedLines (write: (lines: string) => void, clock: Clock) {
  let batch: { lines: string, readonly cancelFlush: () => void } | undefined

  /** Hands on what there is, now. */
  function flush (): void {
    if (batch === undefined) return
    const { lines, cancelFlush } = batch
    batch = undefined
    cancelFlush()
    write(lines)
  }

  return {
    flush,
    write (line: string): void {
      batch ??= { lines: '', cancelFlush: clock.after(BATCH_MS, flush) }
      batch.lines += line
      if (batch.lines.length >= BATCH_CHARACTERS) flush()
    }
  }
}
