import type { Scope } from '../../helpers/scope.js'
import { judge } from '../judge.js'
import { showProgress } from '../progress.js'
import type { Result, Say } from '../report.js'
import { setStage } from '../stage.js'
import { brokerKill } from './broker-kill.js'
import { brokerStop } from './broker-stop.js'
import type { Drill, DrillOptions } from './drill.js'
import { halfOpen } from './half-open.js'
import { overload } from './overload.js'
import { serverKill } from './server-kill.js'

const DRILLS = {
  'broker-kill': brokerKill,
  'broker-stop': brokerStop,
  'half-open': halfOpen,
  'server-kill': serverKill,
  overload
} as const satisfies Readonly<Record<string, Drill>>
export type DrillName = keyof typeof DRILLS
export const DRILL_NAMES = Object.keys(DRILLS) as DrillName[]

/** Above what callers need: the window of the server is not the matter of a drill. */
const BROKER_WINDOW = 1_000

/** Does one drill with the messenger, then judges. */
export async function runDrill (scope: Scope, name: DrillName, options: DrillOptions, say: Say): Promise<Result> {
  const { publishTimeoutMs = options.publishTimeoutMs, env = {}, run }: Drill = DRILLS[name]
  const stage = await setStage(scope, { subject: 'messenger', publishTimeoutMs, env, brokerWindow: BROKER_WINDOW })
  showProgress(scope, stage, say)
  await stage.recovered()
  const { rules, restartsMs = [], facts, failures } = await run(stage, options, say)
  await stage.settle()
  const evidence = stage.evidence(rules, restartsMs)
  return { name: `drill ${name}, seed ${options.seed}`, verdict: judge(evidence), windows: evidence.windows, facts, failures }
}
