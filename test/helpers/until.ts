import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until something outside of our clock, such as a socket, has brought about a state. */
export async function until (condition: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(2)
  }
}
