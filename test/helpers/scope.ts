import type { Test } from 'tap'

/** Where what was started registers its end: a test, or a program that runs without tap. */
export type Scope = Pick<Test, 'teardown'>

/** A scope for a program: `close` ends everything, the last started first. */
export function createScope () {
  const ends: Array<() => unknown> = []
  return {
    teardown (end: () => unknown): void { ends.push(end) },
    async close (): Promise<void> {
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end()
    }
  }
}
