import { createRandom } from './random.js'

/** What a link can do to its bytes. */
export const FAULT_KINDS = [
  /** every connection is reset, and new ones are too until it is over */
  'cut',
  /** nothing passes to the broker; it is held back */
  'stall-up',
  /** nothing comes back from the broker; it is held back */
  'stall-down',
  /** what comes back from the broker is lost, and with it, in the end, the connection */
  'swallow',
  /** every byte is late, both ways */
  'delay',
  /** every byte is a segment of its own, both ways, so many a millisecond */
  'drip'
] as const
export type FaultKind = typeof FAULT_KINDS[number]

/**
 * How a fault ends: the connections live on and what was held back passes; they are
 * cut and it is lost; they are cut for the client, yet what it had sent still reaches
 * the broker, as it does when a client gives up a connection that a network holds back.
 */
export type FaultEnd = 'heal' | 'cut' | 'cut-late'

/** One fault of a schedule. */
export interface Fault {
  readonly kind: FaultKind
  readonly durationMs: number
  readonly end: FaultEnd
  /** How late every byte is; of `delay` only. */
  readonly delayMs: number
  /** Bytes each millisecond; of `drip` only. */
  readonly bytesPerMs: number
  /** Wait before it, in milliseconds. */
  readonly waitMs: number
  /** Whether the wait begins when the window of the fault before is closed, or when that fault is just over. */
  readonly afterRecovery: boolean
}

/** What a schedule follows from. */
export interface ScheduleOptions {
  readonly seed: number
  readonly kinds: readonly FaultKind[]
  /** Publish time-out of the server. Faults last less than it, about as long, and more than twice as long, at which the server gives up a connection. */
  readonly publishTimeoutMs: number
}

/** One fault in so many strikes while the server still gets over the one before. */
const UNRECOVERED_ONE_IN = 2

/** Longest wait before a fault, in milliseconds. */
const LONGEST_WAIT_MS = 400

/** Most bytes that drip in a millisecond: about a tenth of a PUBLISH. */
const MOST_BYTES_PER_MS = 16

/** Faults without end, chosen at random: the same ones for the same options. */
export function * createSchedule ({ seed, kinds, publishTimeoutMs }: ScheduleOptions): Generator<Fault, never> {
  const random = createRandom(seed)
  for (;;) {
    // Each draws the same numbers whatever its kind, so that they stand in one place.
    yield {
      kind: random.pick(kinds),
      durationMs: random.integer(10, 2.5 * publishTimeoutMs),
      end: random.pick(['heal', 'heal', 'cut', 'cut-late']),
      delayMs: random.integer(1, 1.5 * publishTimeoutMs),
      bytesPerMs: random.integer(1, MOST_BYTES_PER_MS),
      waitMs: random.integer(0, LONGEST_WAIT_MS),
      afterRecovery: random.integer(1, UNRECOVERED_ONE_IN) > 1
    }
  }
}
