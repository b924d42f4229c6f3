import { collectDefaultMetrics, Registry } from 'prom-client'

let ofThisProcess: Registry | undefined

/**
 * prom-client's own figures of the process: CPU, memory, event loop, garbage collection.
 *
 * They are made once and shared by all servers of the process. What watches the event loop
 * and the garbage collector cannot be stopped from outside of prom-client 15: made for each
 * server it would add up; made once it is two watchers, and neither keeps a process alive.
 */
export function processMetrics (): Registry {
  if (ofThisProcess === undefined) {
    ofThisProcess = new Registry()
    collectDefaultMetrics({ register: ofThisProcess })
  }
  return ofThisProcess
}
