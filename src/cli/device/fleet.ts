import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.js'
import { readTemplate } from './answer.js'
import { startDevice, type DeviceOptions } from './device.js'
import type { LinkOptions } from './link.js'
import { createTurns } from './turns.js'

/** What was counted so far, over all devices. */
export interface Tally {
  /** Devices that are connected and subscribed. */
  ready: number
  /** Commands executed. */
  commands: number
  /** Commands that came again, and were not executed again. */
  duplicates: number
  /** Commands that came too late to be executed. */
  late: number
  /** Answers that the broker acknowledged. */
  replies: number
  /** Answers that were refused, or whose connection ended. */
  lost: number
}

export interface FleetOptions extends Omit<DeviceOptions, 'imei' | 'link' | 'reply' | 'turns' | 'random'> {
  readonly imeis: readonly string[]
  readonly link: Omit<LinkOptions, 'clientId' | 'filter'>
  /** What they answer: the text of a {@link ReplyTemplate}. */
  readonly reply: string
  /** The topic of a device. */
  topicOf(imei: string): string
  /** A number from 0 up to 1. Default: `Math.random`. */
  readonly random?: () => number
  readonly clock: Clock
}

/** What is told of it as it happens. */
export interface FleetEvents {
  /** Every device is subscribed; again after some were away. */
  onAllReady(): void
  onCommand(topic: string, payload: string): void
  onDropped(why: 'duplicate' | 'late', topic: string, payload: string): void
  /** What went wrong; the same for many devices is told once in {@link REPEAT_FAULT_MS}. */
  onFault(message: string): void
}

/** Most devices that connect at the same time. */
const MAX_CONNECTING = 50

/** How soon the same fault is told again, in milliseconds. */
const REPEAT_FAULT_MS = 5_000

/** How long connections have to end by themselves, in milliseconds. */
const STOP_GRACE_MS = 1_000

/** Starts so many devices, each with a connection of its own. */
export function startFleet (options: FleetOptions, events: FleetEvents) {
  const { imeis, link, reply, topicOf, clock, random = Math.random } = options
  const tally: Tally = { ready: 0, commands: 0, duplicates: 0, late: 0, replies: 0, lost: 0 }
  const toldAtMs = new Map<string, number>()
  const turns = createTurns(MAX_CONNECTING)
  const template = readTemplate(reply)
  let onAllAway = () => {}

  const devices = imeis.map(imei => startDevice({
    ...options,
    imei,
    reply: template,
    random,
    turns,
    link: {
      ...link,
      filter: topicOf(imei),
      // Stable where the session is to be found again; otherwise two runs do not throw each other out.
      clientId: link.isPersistent ? imei : `${imei}-${randomBytes(4).toString('hex')}`,
      username: link.username?.replaceAll('{imei}', imei),
      password: link.password?.replaceAll('{imei}', imei)
    }
  }, {
    onReady () {
      tally.ready += 1
      if (tally.ready === imeis.length) events.onAllReady()
    },
    onAway () {
      tally.ready -= 1
      if (tally.ready === 0) onAllAway()
    },
    onCommand (topic, payload) {
      tally.commands += 1
      events.onCommand(topic, payload)
    },
    onDropped (why, topic, payload) {
      if (why === 'late') tally.late += 1
      else tally.duplicates += 1
      events.onDropped(why, topic, payload)
    },
    onReplied () { tally.replies += 1 },
    onReplyLost () { tally.lost += 1 },
    onFault (message, example) {
      const lastMs = toldAtMs.get(message)
      if (lastMs !== undefined && clock.nowMs() - lastMs < REPEAT_FAULT_MS) return
      toldAtMs.set(message, clock.nowMs())
      events.onFault(example === undefined ? message : `${message} (${example})`)
    }
  }))

  return {
    tally: tally as Readonly<Tally>,
    /** Ends all connections: politely, and by force where that takes over a second. */
    async stop (): Promise<void> {
      const isAway = new Promise<void>(resolve => { onAllAway = resolve })
      for (const device of devices) device.stop()
      if (tally.ready === 0) onAllAway()
      const cancelForce = clock.after(STOP_GRACE_MS, () => { onAllAway() })
      await isAway
      cancelForce()
      for (const device of devices) device.kill()
    }
  }
}
