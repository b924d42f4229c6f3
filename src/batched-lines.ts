import type { Clock } from './clock.js'

/** Characters that are written at a time, unless told otherwise. Twice as many would hardly save more. */
const BATCH_CHARACTERS = 16_384

/** Longest time that a line waits for others, in milliseconds. */
const BATCH_MS = 100

/**
 * Makes a stream of lines that hands them on together: before they are more than 16,384 characters, and what
 * there is after 100 ms. sonic-boom could batch by itself, but counts the bytes of all it holds again for
 * each line, which takes as long as all else about a line.
 * @param write takes whole lines, one or many
 * @param options.most of a batch, unless one line has more. Default 16,384
 * @param options.measure how much a line is. Default: its characters
 */
export function createBatchedLines (write: (lines: string) => void, clock: Clock, { most = BATCH_CHARACTERS, measure = countCharacters } = {}) {
  let batch: { lines: string, size: number, readonly cancelFlush: () => void } | undefined

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
      const size = measure(line)
      if (batch !== undefined && batch.size + size > most) flush()
      batch ??= { lines: '', size: 0, cancelFlush: clock.after(BATCH_MS, flush) }
      batch.lines += line
      batch.size += size
      if (batch.size >= most) flush()
    }
  }
}

function countCharacters (line: string): number {
  return line.length
}
