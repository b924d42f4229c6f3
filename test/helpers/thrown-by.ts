/**
 * What a function throws, to look at all of it: `t.throws` takes a part of a message for the whole.
 * @throws whatever else it throws, or an error saying that it threw nothing
 */
export function thrownBy<E extends Error> (type: new (...args: never[]) => E, run: () => unknown): E {
  try {
    run()
  } catch (error) {
    if (error instanceof type) return error
    throw error
  }
  throw new Error(`no ${type.name} was thrown`)
}
