import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import type { SubscribableLink } from './connection.js'
import type { NotSentReason } from './outcome.js'
import { isRefusal } from './reason-codes.js'

export interface ReplySubscriptionOptions {
  /** Topic Filter of all replies to this process. */
  readonly filter: string
  /** Longest wait for the SUBACK, in milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Told of changes of state only. */
  readonly log: Pick<FastifyBaseLogger, 'warn'>
}

/** After a refusal, or a connection that ended on the subscription, nobody's wait has it tried again for so long, in milliseconds: at first, and at most. */
const FIRST_PAUSE_MS = 1_000
const LAST_PAUSE_MS = 60_000

/** Once it was granted, so many connections in a row may end before the SUBACK for another reason: as when a broker fails over, with waits under way. */
const SPARED_ENDS = 3

/** Why nobody can wait for a reply just now. */
type Obstacle = Extract<NotSentReason, 'not_connected' | 'no_reply_topic'>

export type ReplySubscription = ReturnType<typeof createReplySubscription>

/**
 * Keeps the one subscription to the replies, on whichever connection there is.
 *
 * It is made when the first command asks for a reply, and then again on each new connection: where
 * nobody ever waits, the user of the messenger needs no permission for it.
 *
 * Where it is refused, who asks is told for a while that there is none, and only who asks after that has it tried again; the
 * while doubles each time. A broker may also close the connection on a SUBSCRIBE that it forbids, which takes
 * the commands of all callers with it. So the same goes for a connection that ends before the SUBACK: for the first of
 * this process, and where it was granted before, once {@link SPARED_ENDS} in a row have.
 */
export function createReplySubscription ({ filter, timeoutMs, clock, log }: ReplySubscriptionOptions) {
  let link: SubscribableLink | undefined
  let state: 'none' | 'asked' | 'overdue' | 'granted' | 'refused' = 'none'
  let isWanted = false
  // Of a process that never had a SUBACK: none.
  let sparedEnds = 0
  let pauseMs = FIRST_PAUSE_MS
  let pausedUntilMs = -Infinity
  let askers: Array<(obstacle: Obstacle | undefined) => void> = []
  let cancelTimeout = () => {}

  function subscribe (to: SubscribableLink): void {
    state = 'asked'
    cancelTimeout = clock.after(timeoutMs, giveUp)
    to.subscribe(filter)
  }

  function giveUp (): void {
    state = 'overdue'
    log.warn({ filter, timeoutMs }, 'the broker does not answer the subscription to replies; requests with Prefer: wait are answered 406')
    answer('not_connected')
  }

  function answer (obstacle: Obstacle | undefined): void {
    const waiting = askers
    askers = []
    for (const asker of waiting) asker(obstacle)
  }

  /** Takes a new connection into use. The one before must have been closed. */
  function open (opened: SubscribableLink): void {
    link = opened
    if (isWanted && !isPaused()) subscribe(opened)
  }

  /** Takes the SUBACK of this connection; one that nobody has asked for is none. */
  function acknowledge (reasonCode: number): void {
    if (!isAsked()) return
    cancelTimeout()
    if (isRefusal(reasonCode)) {
      state = 'refused'
      pause({ reasonCode }, 'the broker refuses the subscription to replies; until it is tried again requests with Prefer: wait are answered 406')
      answer('no_reply_topic')
    } else {
      state = 'granted'
      sparedEnds = SPARED_ENDS
      pauseMs = FIRST_PAUSE_MS
      answer(undefined)
    }
  }

  /** Forgets the connection, which has ended. */
  function close (): void {
    cancelTimeout()
    if (isAsked() && sparedEnds === 0) {
      isWanted = false
      pause({}, 'the connection ended on the subscription to replies; until it is tried again requests with Prefer: wait are answered 406')
    } else if (isAsked()) {
      sparedEnds -= 1
    }
    link = undefined
    state = 'none'
    answer('not_connected')
  }

  function isAsked (): boolean {
    return state === 'asked' || state === 'overdue'
  }

  function isPaused (): boolean {
    return clock.nowMs() < pausedUntilMs
  }

  function pause (cause: object, message: string): void {
    pausedUntilMs = clock.nowMs() + pauseMs
    log.warn({ filter, ...cause, pauseMs }, message)
    pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)
  }

  /**
   * Has a function told, within the time-out, when replies are heard on this connection, or what is in the
   * way of that. Where that is known, it is told at once.
   */
  function whenKnown (tell: (obstacle: Obstacle | undefined) => void): void {
    if (link === undefined || state === 'overdue') {
      tell('not_connected')
      return
    }
    if (state === 'granted') {
      tell(undefined)
      return
    }
    if (state !== 'asked' && isPaused()) {
      tell('no_reply_topic')
      return
    }
    isWanted = true
    askers.push(tell)
    if (state !== 'asked') subscribe(link)
  }

  return { open, acknowledge, close, whenKnown }
}
