import { randomFillSync } from 'node:crypto'
import { V7Generator } from 'uuidv7'

/** Random numbers drawn from the system at a time: each call costs more than the numbers. */
const POOL_SIZE = 1024

const pool = new Uint32Array(POOL_SIZE)
let next = POOL_SIZE

const generator = new V7Generator({
  nextUint32 () {
    if (next === POOL_SIZE) {
      randomFillSync(pool)
      next = 0
    }
    // The index is within the pool: there always is a number.
    return Number(pool[next++])
  }
})

/** A new UUIDv7 (RFC 9562, section 5.7), greater than each one made before in this process. */
export function createCommandId (): string {
  return generator.generate().toString()
}
