import { systemClock } from '../clock.js'

/**
 * Gives up a promise that takes too long. A reply that has come but was not read, because this process was busy, is in
 * time: the clock looks at what has arrived before it says that time is over.
 * @param limitMs in milliseconds
 * @throws {Error} where the time is over, or whatever the promise rejects with
 */
export function withinTime<T> (promise: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = systemClock.after(limitMs, () => { reject(new Error(`no reply within ${limitMs} ms`)) })
    promise.then(resolve, reject).finally(cancel)
  })
}
