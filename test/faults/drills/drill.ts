import type { Rules } from '../evidence.js'
import type { Say } from '../report.js'
import type { Stage } from '../stage.js'

/** How long and how often; the defaults of the long form stand in `options.ts`. */
export interface DrillOptions {
  readonly seed: number
  readonly callers: number
  /** Publish time-out of the server, in milliseconds, where the drill has none of its own. */
  readonly publishTimeoutMs: number
  /** How often the broker is killed. */
  readonly kills: number
  /** How long the broker is stopped, in milliseconds. */
  readonly stopMs: number
  /** How often the link becomes half-open, and how often the server is killed. */
  readonly rounds: number
  /** How long the server is overloaded, in milliseconds. */
  readonly overloadMs: number
}

/** What a drill saw itself; the verdict on its promises is the judge's. */
export interface DrillOutcome {
  readonly rules: Rules
  /** When the server was started again, in monotonic milliseconds. */
  readonly restartsMs?: readonly number[]
  /** Figures for the report. */
  readonly facts: readonly string[]
  /** What did not go as it must. */
  readonly failures: readonly string[]
}

/** One failure, done on purpose, again and again. */
export interface Drill {
  /** Publish time-out of the server, in milliseconds. Default: {@link DrillOptions.publishTimeoutMs}. */
  readonly publishTimeoutMs?: number
  /** More settings of the server. */
  readonly env?: Readonly<Record<string, string>>
  run(stage: Stage, options: DrillOptions, say: Say): Promise<DrillOutcome>
}

/** Share of 200 that is due while the link is healthy. */
export const LEAST_HEALTHY_SHARE = 0.9
