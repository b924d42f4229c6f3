import type { Clock } from '../../clock.js'
import type { Tally } from './fleet.js'

export interface StatusOptions {
  readonly output: Pick<NodeJS.WritableStream, 'write'>
  /** Width of the terminal, on which one line can be written over; 0: it is not known; undefined: there is no terminal. */
  columns(): number | undefined
  readonly clock: Clock
  /** Number of devices. */
  readonly count: number
  readonly tally: Readonly<Tally>
}

/** How often the line is written, in milliseconds: over itself on a terminal, otherwise below the last one. */
const TERMINAL_MS = 500
const LINES_MS = 5_000

const CLEAR_LINE = '\r\u001B[2K'

/**
 * Shows how many devices are doing what while they do it: one line that changes on a terminal; elsewhere
 * a line every five seconds in which something happened.
 */
export function showStatus ({ output, columns, clock, count, tally }: StatusOptions) {
  const isTerminal = columns() !== undefined
  const everyMs = isTerminal ? TERMINAL_MS : LINES_MS
  let before = 0
  let last = ''
  let cancel = clock.after(everyMs, tick)

  function tick (): void {
    cancel = clock.after(everyMs, tick)
    const perSecond = Math.round((tally.commands - before) * 1000 / everyMs)
    before = tally.commands
    const line = `${describe(tally, count)}, ${perSecond} commands/s`
    const width = columns()
    // What is wider would leave a line behind each time.
    if (width !== undefined) output.write(`${CLEAR_LINE}${width > 0 ? line.slice(0, width - 1) : line}`)
    else if (line !== last) output.write(`${line}\n`)
    last = line
  }

  /** Makes room for a line of something else. */
  function clear (): void {
    if (isTerminal) output.write(CLEAR_LINE)
  }

  return {
    clear,
    /** Writes the sum, for good. */
    stop (): void {
      cancel()
      clear()
      output.write(`${describe(tally, count)}\n`)
    }
  }
}

function describe ({ ready, commands, duplicates, late, replies, lost }: Readonly<Tally>, count: number): string {
  return `${ready}/${count} connected, ${commands} commands (and ${duplicates} duplicates, ${late} late), ${replies} replies (and ${lost} lost)`
}
