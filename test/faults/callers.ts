import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.js'

/** Pause of a caller after anything but a 200, in milliseconds: so that an outage is not all the suite sees. */
const PAUSE_MS = 25

/** Between two looks at how many commands are due, in milliseconds. */
const TICK_MS = 5

/** A load that goes on until it is stopped. */
export interface Load {
  /** Sends nothing new and waits for the last answer. */
  stop(): Promise<void>
}

/** Callers that each send their next command once the last is answered. */
export function startCallers ({ post }: Client, count: number): Load {
  let isStopped = false
  async function call (): Promise<void> {
    for (;;) {
      if (isStopped) return
      const { status } = await post()
      if (status !== 200) await sleep(PAUSE_MS)
    }
  }
  const callers = Array.from({ length: count }, call)
  return {
    async stop () {
      isStopped = true
      await Promise.all(callers)
    }
  }
}

/** Callers that do not care: so many commands a second, answered or not. */
export function startArrivals ({ post }: Client, perSecond: number): Load {
  const startMs = performance.now()
  const pending = new Set<Promise<unknown>>()
  let sent = 0
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - startMs) / 1000 * perSecond)
    for (; sent < due; sent += 1) {
      const answered = post().finally(() => pending.delete(answered))
      pending.add(answered)
    }
  }, TICK_MS)
  return {
    async stop () {
      clearInterval(timer)
      await Promise.all(pending)
    }
  }
}
