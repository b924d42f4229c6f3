/** Random numbers that a seed determines. */
export type Random = ReturnType<typeof createRandom>

/** Seeds are 0 up to this, exclusive. */
export const SEED_LIMIT = 2 ** 32

/**
 * A generator whose numbers follow from its seed alone (mulberry32): what it
 * decided once, it decides again.
 * @param seed a whole number, 0 up to {@link SEED_LIMIT}
 */
export function createRandom (seed: number) {
  let state = seed | 0

  /** A number from 0 up to 1. */
  function next (): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return {
    next,
    /** A whole number from `least` to `most`, both included. */
    integer: (least: number, most: number): number => least + Math.floor(next() * (most - least + 1)),
    /** One of several. @throws where there are none */
    pick<T> (items: readonly T[]): T {
      const item = items[Math.floor(next() * items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    }
  }
}
