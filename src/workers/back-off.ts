/** A worker that lived for less was no success, in milliseconds. */
const SETTLED_MS = 5_000

const FIRST_MS = 100

const LAST_MS = 10_000

/** Decides how soon a worker that ended is replaced: at once, but ever later where new ones end early again and again. */
export function createBackOff () {
  let earlyEnds = 0
  /** @returns wait before the replacement, in milliseconds: 0, or 100 doubled with each early end up to 10,000 */
  return (livedMs: number): number => {
    earlyEnds = livedMs < SETTLED_MS ? earlyEnds + 1 : 0
    return earlyEnds === 0 ? 0 : Math.min(LAST_MS, FIRST_MS * 2 ** (earlyEnds - 1))
  }
}
