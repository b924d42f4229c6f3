import type { Clock } from '../../clock.js'
import { createAnswer, type ReplyTemplate } from './answer.js'
import { isLate, readCommand, type Message } from './command.js'
import { openLink, type Link, type LinkOptions } from './link.js'
import type { Options } from './options.js'
import { createRecentIds } from './recent-ids.js'
import type { createTurns } from './turns.js'

/** What one device is told when it is made. */
export interface DeviceOptions extends Pick<Options, 'replyRate' | 'replyDelayMs' | 'offline'> {
  readonly imei: string
  readonly link: LinkOptions
  readonly reply: ReplyTemplate
  readonly clock: Clock
  /** A number from 0 up to 1. */
  readonly random: () => number
  /** When it may connect: shared by all devices of a process. */
  readonly turns: ReturnType<typeof createTurns>
}

/** What becomes of a device, for whoever counts. `onAway` follows each `onReady`. */
export interface DeviceEvents {
  onReady(): void
  onAway(): void
  /** A command to execute. */
  onCommand(topic: string, payload: string): void
  /** A command that is not executed: one that it had before, or one that came too late. */
  onDropped(why: 'duplicate' | 'late', topic: string, payload: string): void
  /** Its answer was acknowledged by the broker. */
  onReplied(): void
  /** Its answer was refused, or the connection ended before it was acknowledged. */
  onReplyLost(): void
  /** @param example what it happened to, where that is another each time */
  onFault(message: string, example?: string): void
}

/** Ceilings of the wait before a new connection, in milliseconds. */
const FIRST_BACKOFF_MS = 500
const LAST_BACKOFF_MS = 10_000

/**
 * A device: it connects, and again whenever it loses the connection, executes each command once, and answers
 * those that ask for it.
 */
export function startDevice (options: DeviceOptions, events: DeviceEvents) {
  const { imei, clock, random, turns, offline, replyRate, replyDelayMs: [leastDelayMs, mostDelayMs] } = options
  const recent = createRecentIds()
  const answering = new Set<() => void>()
  let link: Link | undefined
  let isReady = false
  let isStopped = false
  let unacknowledged = 0
  let failures = 0
  /** Gives up what is to happen next: a turn, or a timer. */
  let cancelNext: () => void
  let cancelSpell = planSpell(random())

  connect()

  function connect (): void {
    cancelNext = turns.take(release => {
      link = openLink(options.link, clock, {
        onReady () {
          release()
          isReady = true
          failures = 0
          events.onReady()
        },
        onMessage: receive,
        onEnd (fault) {
          release()
          link = undefined
          leave()
          if (fault !== undefined) events.onFault(fault)
          if (isStopped) return
          failures += 1
          const ceilingMs = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1))
          cancelNext = clock.after(ceilingMs * (0.5 + random() / 2), connect)
        }
      })
    })
  }

  function leave (): void {
    for (; unacknowledged > 0; unacknowledged -= 1) events.onReplyLost()
    if (isReady) events.onAway()
    isReady = false
  }

  /** @param share of the usual time, so that not all devices are away at once */
  function planSpell (share: number): () => void {
    if (offline === undefined) return () => {}
    return clock.after(offline.everyMs * share, () => {
      link?.drop()
      cancelNext()
      cancelNext = clock.after(offline.forMs, () => {
        failures = 0
        cancelSpell = planSpell(0.5 + random())
        connect()
      })
    })
  }

  function receive (message: Message & { readonly topic: string }): void {
    const command = readCommand(message)
    const payload = message.payload.toString()
    if (command.id !== undefined && !recent.add(command.id)) {
      events.onDropped('duplicate', message.topic, payload)
      return
    }
    if (isLate(command, clock.wallMs())) {
      events.onDropped('late', message.topic, payload)
      return
    }
    events.onCommand(message.topic, payload)
    const answer = createAnswer(options.reply, imei, command)
    if (answer === undefined || random() >= replyRate || isStopped) return
    const cancel = clock.after(leastDelayMs + random() * (mostDelayMs - leastDelayMs), () => {
      answering.delete(cancel)
      if (link === undefined) {
        events.onReplyLost()
        return
      }
      unacknowledged += 1
      link.publish(answer, fault => {
        unacknowledged -= 1
        if (fault === undefined) {
          events.onReplied()
          return
        }
        events.onReplyLost()
        events.onFault(`a reply was not taken: ${fault}`, answer.topic)
      })
    })
    answering.add(cancel)
  }

  return {
    /** Says DISCONNECT. Answers that are not on their way by now are not given. */
    stop (): void {
      isStopped = true
      cancelNext()
      cancelSpell()
      for (const cancel of answering) cancel()
      link?.close()
    },
    /** Ends what {@link stop} could not. */
    kill (): void { link?.drop() }
  }
}
