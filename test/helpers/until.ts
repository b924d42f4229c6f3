import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until something outside of our clock, such as a socket, has brought about a state.
 * @param what it is; a function says it as things are when it is given up
 */
export async function until (condition: () => boolean, what: string | (() => string), withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${typeof what === 'string' ? what : what()}`)
    await sleep(2)
  }
}
