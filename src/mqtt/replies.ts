import type { Clock } from '../clock.js'
import { createFifo, type Linked } from '../fifo.js'
import type { ReplyResult } from '../metrics/reply-metrics.js'
import { createDeadlines, type Timed } from './deadlines.js'
import type { Outcome } from './outcome.js'
import type { Publication } from './publication.js'
import { MAX_REPLY_BYTES, readReply } from './read-reply.js'
import { createRecentNames } from './recent-names.js'
import type { ReplySubscription } from './reply-subscription.js'
import type { WaitingPublication } from './waiting-publication.js'
import { createSweepTimer } from './sweep-timer.js'

/** What became of a command whose device was to answer. */
export interface Waited {
  readonly publication: Publication
  /** What became of the command; a reply proves that it was accepted. */
  readonly outcome: Outcome
  /** The answer of the device, as a JSON text; undefined: none came. */
  readonly reply: string | undefined
  /** The trace context that came with the answer (MQTT 5 user property). */
  readonly replyTraceparent: string | undefined
  /** Milliseconds from the hand-over of the command to its outcome. */
  readonly outcomeMs: number
}

/** One wait that has begun. */
export interface Wait {
  /** What it came to. Never rejects. */
  readonly ended: Promise<Waited>
  /** Nobody wants the reply any more: the wait gives up its place, and ends with the outcome of the command. */
  leave(): void
}

export interface RepliesOptions {
  readonly clock: Clock
  /** Most waits at a time. */
  readonly maxWaiters: number
  readonly subscription: Pick<ReplySubscription, 'whenKnown'>
  /** Publishes, once. Never rejects. */
  send(publication: Publication): Promise<Outcome>
  /** A message came to a reply topic. */
  onReply(result: ReplyResult): void
  /** More became known of a command whose wait had ended: its outcome, its reply, or both. */
  onLate(waited: Waited): void
}

/** Kept small: there may be ten thousand of them. */
interface Waiter extends Timed, Linked<Waiter> {
  readonly publication: WaitingPublication
  readonly startedMs: number
  outcome: Outcome | undefined
  outcomeMs: number
  reply: string | undefined
  replyTraceparent: string | undefined
  /** Whether the wait goes on for the outcome alone. */
  hasLeft: boolean
  /** Undefined once the wait has ended. */
  end: ((waited: Waited) => void) | undefined
}

const EXPIRED: Outcome = { kind: 'not_sent', reason: 'expired' }
const NOT_ACKNOWLEDGED: Outcome = { kind: 'unknown', reason: 'timed_out' }
/** The broker accepted the command, as its device has answered it. */
const ANSWERED: Outcome = { kind: 'accepted', noSubscribers: false }

export type Replies = ReturnType<typeof createReplies>

/**
 * Waits for the answers of devices, each of which counts only for the command whose `id` it names,
 * and only from the reply topic of its own device.
 *
 * A wait ends with the answer, at its deadline, or as soon as it is known that there will be none: nothing
 * was sent, or nobody is subscribed. A lost PUBACK does not end it, as the answer may still come.
 * What ended is remembered for a while: without an answer, as many as may wait at a time, and as many that were answered.
 */
export function createReplies ({ clock, maxWaiters, subscription, send, onReply, onLate }: RepliesOptions) {
  const waiters = new Map<string, Waiter>()
  const unanswered = new Map<string, Waiter>()
  // The same, in the order in which they ended.
  const ends = createFifo<Waiter>()
  const answered = createRecentNames(maxWaiters)
  const deadlines = createDeadlines<Waiter>()
  let isOver = false
  const { sweepBy, cancel: cancelSweep } = createSweepTimer(clock, sweep)

  /**
   * Publishes a command and waits for its answer, where {@link isFull} says that there is room.
   * @param deadlineMs monotonic milliseconds
   */
  function wait (publication: WaitingPublication, deadlineMs: number): Wait {
    const waiter: Waiter = {
      publication, deadlineMs, place: -1, startedMs: clock.nowMs(), outcome: undefined, outcomeMs: 0, reply: undefined, replyTraceparent: undefined, hasLeft: false, end: undefined, previous: undefined, next: undefined
    }
    waiters.set(publication.id, waiter)
    deadlines.add(waiter)
    sweepBy(deadlineMs)
    const ended = new Promise<Waited>((resolve, reject) => {
      waiter.end = resolve
      // It may be over as it begins: it counts from receipt, and a body, or the key of a token, takes its time.
      if (isOver || deadlineMs <= waiter.startedMs) {
        giveUp(waiter)
        return
      }
      subscription.whenKnown(obstacle => {
        if (obstacle === undefined) send(publication).then(outcome => { settle(waiter, outcome) }, reject)
        else settle(waiter, { kind: 'not_sent', reason: obstacle })
      })
    })
    return { ended, leave: () => { leave(waiter) } }
  }

  /** Takes what is known of the command. A reply, or what was decided at the deadline, stands. */
  function settle (waiter: Waiter, outcome: Outcome): void {
    const { outcome: known } = waiter
    if (known !== undefined && (known.kind !== 'unknown' || outcome.kind === 'unknown')) return
    setOutcome(waiter, outcome)
    if (waiter.end === undefined) onLate(tell(waiter, outcome))
    else if (waiter.hasLeft || promisesNoReply(outcome)) end(waiter, outcome)
  }

  function setOutcome (waiter: Waiter, outcome: Outcome): void {
    waiter.outcome = outcome
    waiter.outcomeMs = clock.nowMs() - waiter.startedMs
  }

  function find (id: string): Waiter | undefined {
    return waiters.get(id) ?? unanswered.get(id)
  }

  /** Takes the outcome of a wait's publication that became known after it had been given as unknown. */
  function settleLate ({ id }: Publication, outcome: Outcome): void {
    const waiter = find(id)
    if (waiter !== undefined) settle(waiter, outcome)
  }

  /** Takes a message of the subscription. */
  function receive (topic: string, payload: Buffer, correlationData: Buffer | undefined, traceparent?: string): void {
    onReply(take(topic, payload, correlationData, traceparent))
  }

  function take (topic: string, payload: Buffer, correlationData: Buffer | undefined, traceparent: string | undefined): ReplyResult {
    if (payload.length > MAX_REPLY_BYTES) return 'too_large'
    const reply = readReply(payload, correlationData)
    if (reply === undefined) return 'malformed'
    if (answered.has(reply.id)) return 'duplicate'
    const waiter = find(reply.id)
    if (waiter === undefined) return 'unknown'
    if (topic !== waiter.publication.replyTo.topic) return 'forged'
    const isLate = !waiters.has(reply.id)
    waiter.reply = reply.json
    waiter.replyTraceparent = traceparent
    if (waiter.outcome?.kind !== 'accepted' || waiter.outcome.noSubscribers) setOutcome(waiter, ANSWERED)
    if (waiter.end === undefined) {
      noteAnswered(waiter)
      onLate(tell(waiter, ANSWERED))
    } else {
      end(waiter, ANSWERED)
    }
    return isLate ? 'late' : 'answered'
  }

  function leave (waiter: Waiter): void {
    if (waiter.end === undefined) return
    waiter.hasLeft = true
    makeRoom(waiter)
    if (waiter.outcome !== undefined) end(waiter, waiter.outcome)
  }

  function makeRoom (waiter: Waiter): void {
    const { id } = waiter.publication
    deadlines.remove(waiter)
    if (!waiters.delete(id)) return
    unanswered.set(id, waiter)
    ends.push(waiter)
    if (ends.size > maxWaiters && ends.first !== undefined) forget(ends.first)
  }

  /** Takes out a wait that ended without an answer. */
  function forget (waiter: Waiter): void {
    if (unanswered.delete(waiter.publication.id)) ends.remove(waiter)
  }

  function noteAnswered (waiter: Waiter): void {
    const { id } = waiter.publication
    deadlines.remove(waiter)
    waiters.delete(id)
    forget(waiter)
    answered.add(id)
  }

  function end (waiter: Waiter, outcome: Outcome): void {
    const resolve = waiter.end
    waiter.end = undefined
    if (waiter.reply === undefined) makeRoom(waiter)
    else noteAnswered(waiter)
    resolve?.(tell(waiter, outcome))
  }

  /** Ends a wait for which there is no time left. */
  function giveUp (waiter: Waiter): void {
    end(waiter, waiter.outcome ?? decide(waiter))
  }

  /** Says of a command what is so when nothing was heard of it by now. */
  function decide (waiter: Waiter): Outcome {
    const { replyTo: { isWritten } } = waiter.publication
    // From now on the publisher takes it for expired: what was not written never will be.
    if (!isWritten) waiter.publication.expiresAtMs = 0
    const outcome = isWritten ? NOT_ACKNOWLEDGED : EXPIRED
    setOutcome(waiter, outcome)
    return outcome
  }

  function sweep (): void {
    const nowMs = clock.nowMs()
    while (deadlines.first !== undefined && deadlines.first.deadlineMs <= nowMs) giveUp(deadlines.first)
    if (deadlines.first !== undefined) sweepBy(deadlines.first.deadlineMs)
  }

  /** Ends every wait now, as at its deadline, and each that begins from now on before it has sent anything. */
  function endAll (): void {
    isOver = true
    while (deadlines.first !== undefined) giveUp(deadlines.first)
    cancelSweep()
  }

  return {
    wait,
    settleLate,
    receive,
    endAll,
    /** Whether there is no room for another wait. */
    get isFull () { return waiters.size >= maxWaiters },
    /** How many wait. */
    get size () { return waiters.size }
  }
}

function tell ({ publication, reply, replyTraceparent, outcomeMs }: Waiter, outcome: Outcome): Waited {
  return { publication, outcome, reply, replyTraceparent, outcomeMs }
}

/** Whether no device can answer. */
function promisesNoReply (outcome: Outcome): boolean {
  return outcome.kind === 'not_sent' || (outcome.kind === 'accepted' && outcome.noSubscribers)
}
