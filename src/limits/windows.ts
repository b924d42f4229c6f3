/** How much is let through in how long. */
export interface Window {
  readonly max: number
  /** Length in milliseconds. */
  readonly lengthMs: number
}

const WINDOW = /^([1-9]\d{0,8})\/([1-9]\d{0,4})([smhd])$/
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A limit is held in memory, or in a Redis that others use too: not for ever. */
const MAX_LENGTH_MS = 86_400_000

/**
 * Reads a limit, e.g. `100/1s,2000/1m`: 100 in any second and 2000 in any minute, each counted from its first.
 * @returns its windows, the shortest first: what that one refuses is not to use up the longer ones
 * @throws {RangeError} with a text for a fault
 */
export function parseWindows (text: string): Window[] {
  const windows = text.split(',').map(item => {
    const [, max, length, unit = ''] = WINDOW.exec(item.trim()) ?? []
    return { max: Number(max), lengthMs: Number(length) * Number(UNITS_MS[unit]) }
  })
  if (!windows.every(({ lengthMs }) => lengthMs <= MAX_LENGTH_MS)) {
    throw new RangeError('must be windows, comma-separated, each a number and a time in s, m, h or d up to 1d, e.g. 100/1s,2000/1m')
  }
  if (new Set(windows.map(({ lengthMs }) => lengthMs)).size < windows.length) throw new RangeError('has two windows of one length')
  return windows.sort((a, b) => a.lengthMs - b.lengthMs)
}
