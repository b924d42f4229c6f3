import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import { openConnection, type ConnectOptions, type Connection, type ConnectionEvents } from './connection.js'

/** How to keep a broker connection alive. */
export interface KeepConnectedOptions extends ConnectOptions {
  /** Brokers in the order in which they are tried, round and round. */
  readonly urls: readonly string[]
  readonly clock: Clock
  /** Told of changes of state only, never of each attempt. */
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'debug'>
  /** A number from 0 up to 1, for the jitter. Default `Math.random`. */
  readonly random?: () => number
}

/** What the owner is told, over all connections: `onClose` follows each `onOpen`, and only that. */
export interface KeeperEvents extends Pick<ConnectionEvents, 'onOpen' | 'onPuback' | 'onSuback' | 'onMessage'> {
  onClose(): void
}

/** Ceilings of the wait before a new attempt, in milliseconds. */
const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 2_000

export type ConnectionKeeper = ReturnType<typeof keepConnected>

/**
 * Keeps one connection to one of several brokers, building a new one whenever it ends.
 *
 * It waits between attempts with full jitter: a random share of a ceiling that
 * doubles from 100 ms to 2 s. The ceiling falls back only after a connection that
 * lasted, so that a broker which accepts and throws us out at once is not hammered.
 */
export function keepConnected (options: KeepConnectedOptions, events: KeeperEvents) {
  const { urls, clock, log, random = Math.random } = options
  let connection: Connection | undefined
  let openedAtMs: number | undefined
  let failures = 0
  let nextUrl = 0
  let stopped = false
  let cancelRetry = () => {}
  let onStopped: (() => void) | undefined

  connect()

  function connect (): void {
    const url = String(urls[nextUrl % urls.length])
    const broker = withoutCredentials(url)
    connection = openConnection(url, options, {
      onOpen (link) {
        openedAtMs = clock.nowMs()
        log.info({ broker, receiveMaximum: link.receiveMaximum }, 'connected to the broker')
        events.onOpen(link)
      },
      onPuback: events.onPuback,
      onSuback: events.onSuback,
      onMessage: events.onMessage,
      onEnd (reason) {
        connection = undefined
        const wasOpen = openedAtMs !== undefined
        const lasted = openedAtMs !== undefined && clock.nowMs() - openedAtMs >= LAST_BACKOFF_MS
        openedAtMs = undefined
        if (wasOpen) events.onClose()
        if (stopped) {
          onStopped?.()
          return
        }
        failures = lasted ? 1 : failures + 1
        // One line when the state changes; a long outage stays silent at the usual levels.
        if (wasOpen) log.warn({ broker, reason }, 'lost the broker connection')
        else if (failures === 1) log.warn({ broker, reason }, 'cannot reach the broker; trying again until it answers')
        else log.debug({ broker, reason, failures }, 'cannot reach the broker')
        nextUrl += 1
        cancelRetry = clock.after(random() * backoffCeilingMs(failures), connect)
      }
    })
  }

  /**
   * Ends the connection for good: politely, and by force where that takes over `graceMs` milliseconds.
   */
  function stop (graceMs: number): Promise<void> {
    stopped = true
    cancelRetry()
    const closing = connection
    if (closing === undefined) return Promise.resolve()
    return new Promise(resolve => {
      const cancelForce = clock.after(graceMs, () => { closing.drop('the broker did not close in time') })
      onStopped = () => {
        cancelForce()
        resolve()
      }
      if (openedAtMs === undefined) closing.drop('stopped while connecting')
      else closing.close()
    })
  }

  return {
    stop,
    /** Whether a broker has accepted the connection and it has not ended since. */
    get isOpen () { return openedAtMs !== undefined }
  }
}

/** Ceiling of the wait after so many failures in a row (at least 1), in milliseconds. */
export function backoffCeilingMs (failures: number): number {
  return Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1))
}

/** A broker's URL as it may be logged or shown: without user and password, and without a query, which may be a signature. */
export function withoutCredentials (url: string): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  shown.search = ''
  return shown.href
}
