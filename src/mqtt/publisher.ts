import type { Clock } from '../clock.js'
import { createFifo, type Fifo, type Linked } from '../fifo.js'
import { measurePublish } from './encode-publish.js'
import type { Outcome } from './outcome.js'
import { propertiesOf, type Publication } from './publication.js'
import { isRefusal, NO_MATCHING_SUBSCRIBERS } from './reason-codes.js'
import { createSweepTimer } from './sweep-timer.js'

/** One open connection to a broker. It is used until it closes, and never again. */
export interface Link {
  /** PUBLISH packets the broker is willing to leave unacknowledged (Receive Maximum, MQTT 5, 3.2.2.3.3). */
  readonly receiveMaximum: number
  /** Largest packet the broker accepts, in bytes; undefined where it set no limit (MQTT 5, 3.2.2.3.6). */
  readonly maximumPacketSize: number | undefined
  /**
   * Writes one PUBLISH now or not at all.
   * @param expiryS Message Expiry Interval, in seconds
   * @returns its Packet Identifier, or undefined: then nothing of it was written, nor ever will be
   */
  publish(publication: Publication, expiryS: number): number | undefined
  /** Ends the connection at once; nothing it still holds is written afterwards. */
  drop(reason: string): void
}

/** Limits of the publisher, as the contract names them. */
export interface PublisherOptions {
  readonly clock: Clock
  /** From the write to the PUBACK, in milliseconds. */
  readonly publishTimeoutMs: number
  /** Longest wait for a slot, in milliseconds. */
  readonly queueTimeoutMs: number
  /** Most publishes in flight, where the broker's Receive Maximum allows as many. */
  readonly maxInflight: number
  /** Most publishes waiting for a slot. */
  readonly maxQueue: number
  /** Called with what is known after all of a publish whose caller was answered `unknown`: its PUBACK came late. */
  readonly onLateOutcome?: (publication: Publication, outcome: Outcome) => void
}

interface Entry extends Linked<Entry> {
  readonly publication: Publication
  /** Monotonic milliseconds: when its queue time, then its publish time, is over. */
  deadlineMs: number
  /** Whether its caller was answered `unknown` while it kept its slot. */
  isOverdue: boolean
  readonly settle: (outcome: Outcome) => void
}

export type Publisher = ReturnType<typeof createPublisher>

/**
 * Decides what becomes of each publish: accepted, not sent or unknown.
 *
 * Whatever is written gets a slot of the window and keeps it until its PUBACK or
 * the end of its connection, also when its caller was answered long ago: to free
 * it earlier would let more packets be in flight than the broker allows.
 * What finds no slot waits in a FIFO. Nothing passes from one connection to the
 * next, so nothing can be written twice.
 */
export function createPublisher (options: PublisherOptions) {
  const { clock, publishTimeoutMs, queueTimeoutMs } = options
  const stallMs = 2 * publishTimeoutMs
  // Each in the order of its deadlines. What is overdue is in neither, but still has its slot.
  const waiting = createFifo<Entry>()
  const inFlight = createFifo<Entry>()
  let overdue = 0
  // By Packet Identifier.
  const slots: Array<Entry | undefined> = []
  let link: Link | undefined
  let window = 0
  let lastProgressMs = 0
  const { sweepBy, cancel: cancelSweep } = createSweepTimer(clock, sweep)

  /** Publishes, once. Never rejects: every end of it is an {@link Outcome}. */
  function send (publication: Publication): Promise<Outcome> {
    return new Promise(resolve => {
      const entry: Entry = { publication, deadlineMs: 0, isOverdue: false, settle: resolve, previous: undefined, next: undefined }
      if (link === undefined) {
        resolve({ kind: 'not_sent', reason: 'not_connected' })
      } else if (waiting.size === 0 && hasSlot()) {
        write(entry, link)
      } else if (waiting.size >= options.maxQueue) {
        resolve({ kind: 'not_sent', reason: 'no_slot' })
      } else {
        entry.deadlineMs = clock.nowMs() + queueTimeoutMs
        waiting.push(entry)
        sweepBy(entry.deadlineMs)
      }
    })
  }

  function countWritten (): number {
    return inFlight.size + overdue
  }

  function hasSlot (): boolean {
    return countWritten() < window
  }

  function write (entry: Entry, to: Link): void {
    const nowMs = clock.nowMs()
    const { publication } = entry
    const leftMs = publication.expiresAtMs - nowMs
    if (leftMs <= 0) {
      entry.settle({ kind: 'not_sent', reason: 'expired' })
      return
    }
    if (to.maximumPacketSize !== undefined && measurePublication(publication) > to.maximumPacketSize) {
      entry.settle({ kind: 'not_sent', reason: 'too_large' })
      return
    }
    const packetId = to.publish(publication, Math.ceil(leftMs / 1000))
    if (packetId === undefined) {
      entry.settle({ kind: 'not_sent', reason: 'not_connected' })
      return
    }
    if (countWritten() === 0) lastProgressMs = nowMs
    entry.deadlineMs = nowMs + publishTimeoutMs
    slots[packetId] = entry
    inFlight.push(entry)
    sweepBy(entry.deadlineMs)
  }

  /** Fills free slots from the queue; what has waited too long by now is not written. */
  function fillWindow (): void {
    while (hasSlot()) {
      const entry = waiting.first
      if (entry === undefined || link === undefined) return
      waiting.remove(entry)
      if (entry.deadlineMs <= clock.nowMs()) entry.settle({ kind: 'not_sent', reason: 'no_slot' })
      else write(entry, link)
    }
  }

  function sweep (): void {
    const nowMs = clock.nowMs()
    for (const entry of takeDue(waiting, nowMs)) entry.settle({ kind: 'not_sent', reason: 'no_slot' })
    for (const entry of takeDue(inFlight, nowMs)) {
      entry.isOverdue = true
      overdue += 1
      entry.settle({ kind: 'unknown', reason: 'timed_out' })
    }
    if (overdue > 0 && nowMs - lastProgressMs >= stallMs) {
      link?.drop(`no PUBACK for ${stallMs} ms with publishes in flight`)
    }
    scheduleSweep()
  }

  function scheduleSweep (): void {
    if (waiting.first !== undefined) sweepBy(waiting.first.deadlineMs)
    if (inFlight.first !== undefined) sweepBy(inFlight.first.deadlineMs)
    if (overdue > 0) sweepBy(lastProgressMs + stallMs)
  }

  /** Takes a new connection into use. The one before must have been closed. */
  function open (opened: Link): void {
    link = opened
    window = Math.min(options.maxInflight, opened.receiveMaximum)
  }

  /** Takes the PUBACK for a publish; `reasonCode` is 0 where the protocol has none (MQTT 3.1.1). */
  function acknowledge (packetId: number, reasonCode: number): void {
    lastProgressMs = clock.nowMs()
    const entry = slots[packetId]
    if (entry === undefined) return
    slots[packetId] = undefined
    const outcome = outcomeOf(reasonCode)
    if (entry.isOverdue) {
      overdue -= 1
      options.onLateOutcome?.(entry.publication, outcome)
    } else {
      inFlight.remove(entry)
      entry.settle(outcome)
    }
    fillWindow()
  }

  /** Settles everything at the end of a connection: written is unknown, waiting is not sent. */
  function close (): void {
    link = undefined
    cancelSweep()
    slots.length = 0
    overdue = 0
    const unwritten = waiting.drain()
    for (const entry of inFlight.drain()) entry.settle({ kind: 'unknown', reason: 'connection_lost' })
    for (const entry of unwritten) entry.settle({ kind: 'not_sent', reason: 'not_connected' })
  }

  return {
    send,
    open,
    acknowledge,
    close,
    /** Publishes that are written and not acknowledged, those already answered `unknown` included. */
    get inFlight () { return countWritten() },
    /** Publishes that wait for a slot. */
    get waiting () { return waiting.size },
    /** Most publishes in flight on the connection in use, or on the last one; 0 before the first. */
    get window () { return window }
  }
}

/**
 * Bytes of its packet. One larger than the Maximum Packet Size of the broker must not be sent [MQTT-3.2.2-15]:
 * it would end the connection, for every caller at once.
 */
function measurePublication (publication: Publication): number {
  const { topic, payload } = publication
  // An expiry takes four bytes, whatever it is.
  return measurePublish({ topic, payload, properties: propertiesOf(publication, 0) })
}

function outcomeOf (reasonCode: number): Outcome {
  if (isRefusal(reasonCode)) return { kind: 'not_sent', reason: 'refused', reasonCode }
  return { kind: 'accepted', noSubscribers: reasonCode === NO_MATCHING_SUBSCRIBERS }
}

/** Takes out what is due by now. */
function takeDue (entries: Fifo<Entry>, nowMs: number): Entry[] {
  const due: Entry[] = []
  while (entries.first !== undefined && entries.first.deadlineMs <= nowMs) {
    due.push(entries.first)
    entries.remove(entries.first)
  }
  return due
}
