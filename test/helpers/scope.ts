import type { Test } from 'tap'

/** Where what was started registers its end: a test, or a program that runs without tap. */
export type Scope = Pick<Test, 'teardown'>

/** A scope for a program: `close` ends everything, the last started first. @throws {AggregateError} in the end, where something could not be ended */
export function createScope () {
  const ends: Array<() => unknown> = []
  return {
    teardown (end: () => unknown): void { ends.push(end) },
    async close (): Promise<void> {
      const errors: unknown[] = []
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
        try {
          await end()
        } catch (error) {
          errors.push(error)
        }
      }
      if (errors.length > 0) throw new AggregateError(errors, `not everything could be ended: ${errors.map(String).join('; ')}`)
    }
  }
}

/** Ends a program where it is interrupted, after what it started: nothing of that may live on. */
export function endOnInterrupt (close: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const exit = () => { process.exit(1) }
    process.once(signal, () => { close().then(exit, exit) })
  }
}
