/** A time in which answers other than 200 have a reason. */
export interface FaultWindow {
  /** What went wrong in it, in its order. */
  readonly kinds: readonly string[]
  /** Monotonic milliseconds. */
  readonly startMs: number
  readonly endMs: number
}

export type Timeline = ReturnType<typeof createTimeline>

/**
 * Keeps account of when the server had an excuse.
 *
 * A window opens with a fault. It closes once the link has been free of faults, and a
 * connection through it up, for `settleMs` on end: a command written in the last moment
 * before that has been answered by then. A connection that comes down within that time
 * still belongs to the fault and starts it anew; one that comes down later has no excuse.
 * @param settleMs publish time-out of the server
 * @param nowMs monotonic milliseconds
 */
export function createTimeline (settleMs: number, nowMs: () => number = () => performance.now()) {
  const closed: FaultWindow[] = []
  const connections = new Set<number>()
  let faults = 0
  let open: { kinds: string[], startMs: number } | undefined
  let soundSinceMs: number | undefined

  /** Closes the window if its time is over by now. */
  function update (): void {
    if (open === undefined || soundSinceMs === undefined) return
    const endMs = soundSinceMs + settleMs
    if (nowMs() < endMs) return
    closed.push({ ...open, endMs })
    open = undefined
  }

  function change (apply: () => void): void {
    update()
    apply()
    if (faults > 0 || connections.size === 0) soundSinceMs = undefined
    else soundSinceMs ??= nowMs()
  }

  return {
    /** A fault begins, or is seen only now to have begun. */
    begin (kind: string, startMs = nowMs()): void {
      change(() => {
        faults += 1
        open ??= { kinds: [], startMs }
        open.kinds.push(kind)
      })
    },
    /** A fault is over: connections made from now on work. */
    end (): void { change(() => { faults -= 1 }) },
    /** The broker has accepted a connection. */
    connected (connection: number): void { change(() => { connections.add(connection) }) },
    /** A connection is over, or of no use any more. */
    disconnected (connection: number): void { change(() => { connections.delete(connection) }) },
    /** Whether nothing is wrong and the last window is closed. */
    get isHealthy () {
      update()
      return open === undefined && soundSinceMs !== undefined
    },
    /** Every window so far, an open one up to now. */
    get windows (): FaultWindow[] {
      update()
      return open === undefined ? [...closed] : [...closed, { ...open, endMs: nowMs() }]
    }
  }
}
