import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '../helpers/scope.js'
import { judge } from './judge.js'
import { showProgress } from './progress.js'
import type { Result, Say } from './report.js'
import { createSchedule, type Fault, type FaultKind } from './schedule.js'
import { setStage, type Stage } from './stage.js'
import type { SubjectName } from './subjects/subject.js'

/** A run at random. */
export interface MixOptions {
  readonly subject: SubjectName
  /** PUBLISH packets that have to reach the broker. */
  readonly publishes: number
  /** Faults to choose from; none: the link is sound. */
  readonly faults: readonly FaultKind[]
  readonly seed: number
  readonly callers: number
  /** Mosquitto's `max_inflight_messages`. */
  readonly brokerWindow: number
  /** Publish time-out of the server where there are faults, in milliseconds. How long they last follows from it. */
  readonly publishTimeoutMs: number
}

/** Without faults nothing may be late, however busy the machine is. */
const SOUND_PUBLISH_TIMEOUT_MS = 5_000

/** Publishes in flight at most: fewer than callers, so that there is a queue to be lost with its connection. */
const WINDOW = 32

/** Share of 200 that is due while the link is healthy. */
const LEAST_HEALTHY_SHARE = 0.9

/** Where nothing is published for so long, in milliseconds, nothing more will be. */
const STANDSTILL_MS = 60_000

/**
 * Puts a load on a subject, and faults on its link, until enough was published; then judges.
 * @throws where the subject gets over a fault no more, or publishes nothing any more
 */
export async function runMix (scope: Scope, options: MixOptions, say: Say): Promise<Result> {
  const { subject, publishes, faults, seed, brokerWindow } = options
  const isSound = faults.length === 0
  const publishTimeoutMs = isSound ? SOUND_PUBLISH_TIMEOUT_MS : options.publishTimeoutMs
  const stage = await setStage(scope, { subject, publishTimeoutMs, env: { MQTT_MAX_INFLIGHT: String(WINDOW) }, brokerWindow })
  showProgress(scope, stage, say)
  await stage.recovered()
  const load = stage.load(options.callers)
  const startMs = performance.now()
  const hasPublished = () => {
    const { publications } = stage.recorder
    const lastMs = publications.at(-1)?.atMs ?? startMs
    if (performance.now() - lastMs > STANDSTILL_MS) throw new Error(`nothing was published for ${STANDSTILL_MS} ms`)
    return publications.length >= publishes
  }
  const schedule = isSound ? [] : createSchedule({ seed, kinds: faults, publishTimeoutMs })
  for (const fault of schedule) {
    if (hasPublished()) break
    await strike(stage, fault)
  }
  while (!hasPublished()) await sleep(10)
  await load.stop()
  await stage.settle()
  const evidence = stage.evidence({ leastHealthyShare: LEAST_HEALTHY_SHARE, brokerLives: true })
  const verdict = judge(evidence)
  const { commands, accepted } = verdict.counts
  return {
    name: `${subject}, ${isSound ? 'no faults' : `faults ${faults.join(' ')}`}, seed ${seed}`,
    verdict,
    windows: evidence.windows,
    facts: [],
    failures: isSound && accepted < commands ? [`without faults, ${commands - accepted} answers are no 200`] : []
  }
}

/** One fault, from the wait before it to its end. */
async function strike ({ link, recovered }: Stage, fault: Fault): Promise<void> {
  if (fault.afterRecovery) await recovered()
  await sleep(fault.waitMs)
  link.begin(fault)
  await sleep(fault.durationMs)
  link.finish(fault)
}
