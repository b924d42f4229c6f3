import type { DrillOptions } from './drills/drill.js'
import type { MixOptions } from './mix.js'
import { FAULT_KINDS } from './schedule.js'

/** Publish time-out of the server, in milliseconds: longer than in the long form, as tests share their machine with each other. */
const PUBLISH_TIMEOUT_MS = 700

/** The random mix as a test runs it. */
export const SHORT_MIX: MixOptions = {
  subject: 'messenger',
  publishes: 2_000,
  faults: FAULT_KINDS,
  seed: 1,
  callers: 64,
  brokerWindow: 1_000,
  publishTimeoutMs: PUBLISH_TIMEOUT_MS
}

/** The drills as a test runs them. */
export const SHORT_DRILLS: DrillOptions = {
  seed: 1,
  callers: 64,
  publishTimeoutMs: PUBLISH_TIMEOUT_MS,
  kills: 3,
  rounds: 2,
  stopMs: 2 * PUBLISH_TIMEOUT_MS + 300,
  overloadMs: 3_000
}
