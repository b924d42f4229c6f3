/**
 * Gives up a promise that takes too long.
 *
 * A reply that has come but was not read, because this process was busy, is in time: it is
 * read before the turn of the event loop ends in which the time is over.
 * @param limitMs in milliseconds
 * @throws {Error} where the time is over, or whatever the promise rejects with
 */
export function withinTime<T> (promise: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      setImmediate(() => { reject(new Error(`no reply within ${limitMs} ms`)) })
    }, limitMs)
    promise.then(resolve, reject).finally(() => { clearTimeout(timer) })
  })
}
