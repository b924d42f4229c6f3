import { setTimeout as sleep } from 'node:timers/promises'

/** Longest wait for something to come about, in milliseconds. */
const LIMIT_MS = 50_000

/** Waits until something is so. @throws where it takes too long */
export async function until (condition: () => boolean, what: string): Promise<void> {
  const limitMs = performance.now() + LIMIT_MS
  while (!condition()) {
    if (performance.now() > limitMs) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await sleep(1)
  }
}
