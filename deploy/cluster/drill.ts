import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '../../test/helpers/scope.js'
import { createCallers } from './callers.js'
import { startCluster } from './cluster.js'
import { startDevices } from './devices.js'
import { tellHistory } from './history.js'
import { judge, MIN_ACCEPTED_SHARE, passes } from './judge.js'

export interface DrillOptions {
  /** How long commands are sent at least: longer where what fails needs longer to come back. */
  readonly seconds: number
  /** Commands each second. */
  readonly rate: number
}

type Say = (line: string) => void

/** How long a command is asked for again: longer than a claim of a process that died is held, in milliseconds. */
const PATIENCE_MS = 30_000

const PROGRESS_MS = 5_000

/** How long nothing may be delivered before it counts as over, in milliseconds. */
const QUIET_MS = 3_000

/** Between two looks, in milliseconds. */
const POLL_MS = 100

/** Most findings of a kind that are named. */
const NAMED = 5

/**
 * Sends commands while nodes and replicas fail, says what came of it.
 * @returns whether every promise was kept, see {@link passes}
 * @throws where what was killed or stopped does not end or come back as it should; closing the scope then stops the callers too
 */
export async function runDrill (scope: Scope, { seconds, rate }: DrillOptions, say: Say): Promise<boolean> {
  const cluster = await startCluster(scope, say)
  const devices = await startDevices(scope, cluster.brokers.map(({ port }) => port))
  const callers = createCallers({ port: cluster.nginx.port, token: cluster.token, patienceMs: PATIENCE_MS })
  scope.teardown(() => { callers.close() })
  const { commands, counts } = callers
  const startMs = performance.now()
  const sayAt: Say = line => { say(`${((performance.now() - startMs) / 1000).toFixed().padStart(4)} s  ${line}`) }
  const timer = setInterval(() => {
    sayAt(`${commands.length} sent, ${callers.pending} open, ${devices.deliveries.length} delivered, ${counts.proxyErrors} proxy errors`)
  }, PROGRESS_MS)
  scope.teardown(() => { clearInterval(timer) })

  let isStruck = false
  const struck = strike(cluster, seconds, sayAt).then(() => { isStruck = true })
  // On a slow machine starts take longer than their share: what fails, fails under load all the same.
  const isOver = () => isStruck && performance.now() - startMs >= seconds * 1000
  await Promise.all([callers.run(rate, isOver), struck])
  await devices.subscribed()
  for (let last = -1; last !== devices.deliveries.length;) {
    last = devices.deliveries.length
    await sleep(QUIET_MS)
  }
  clearInterval(timer)

  const { publications } = cluster
  const { deliveries } = devices
  const evidence = { commands, publications, deliveries }
  const verdict = judge(evidence)
  const answered = (final: number) => commands.filter(command => command.final === final).length
  const figures: ReadonlyArray<readonly [string, number]> = [
    ['sent', commands.length],
    ['200', verdict.accepted],
    ['406', answered(406)],
    ['504', answered(504)],
    ['proxy errors', counts.proxyErrors],
    ['asked again', counts.repeats],
    ['answered 409, still running', counts.running],
    ['answered 503', counts.unavailable],
    ['504 that became 200', counts.upgraded],
    ['published', publications.length],
    ['delivered', verdict.delivered],
    ['delivered again by the broker', verdict.deliveredAgain],
    ['acknowledged, not delivered by the broker', verdict.lostByBroker.length],
    ['outcome never known', verdict.unanswered.length],
    ['strays', verdict.strays.length]
  ]
  for (const [name, value] of figures) say(`${name.padEnd(44)}${String(value).padStart(8)}`)
  for (const stray of verdict.strays.slice(0, NAMED)) say(`STRAY ${stray}`)
  if (verdict.accepted < MIN_ACCEPTED_SHARE * commands.length) say(`TOO FEW answered 200, of ${commands.length} at least ${MIN_ACCEPTED_SHARE * 100} % must be`)
  const name = (finding: string, imeis: readonly string[]) => {
    for (const imei of imeis.slice(0, NAMED)) {
      say(`${finding} ${imei}`)
      for (const line of tellHistory(evidence, imei, startMs)) say(line)
    }
  }
  name('OUTCOME NEVER KNOWN', verdict.unanswered)
  for (const { imei, surprise } of commands) if (surprise !== undefined) say(`SURPRISE ${imei}: ${surprise}`)
  const violations = [verdict.sentThoughDenied, verdict.acceptedTooSoon, verdict.publishedTwice]
  for (const [index, imeis] of violations.entries()) name(`VIOLATION (${'abc'[index]})`, imeis)
  say(`violations ${violations.map(({ length }) => length).join(' ')}`)
  return passes(verdict, commands.length)
}

/** What fails, and when, as shares of the run. */
async function strike ({ brokers, replicas }: Awaited<ReturnType<typeof startCluster>>, seconds: number, say: Say): Promise<void> {
  const startMs = performance.now()
  const reach = async (share: number) => {
    while (performance.now() - startMs < share * seconds * 1000) await sleep(POLL_MS)
  }
  // The devices are there, and with them the master of their queue; a replica too.
  const [broker] = brokers
  const [, replica] = replicas
  await reach(0.1)
  say('SIGKILL of a broker node')
  await broker?.stop()
  await reach(0.25)
  say('the broker node starts')
  await broker?.start()
  say('the broker node is back')
  await reach(0.5)
  say('SIGKILL of a replica')
  await replica?.stop('SIGKILL')
  await reach(0.6)
  await replica?.start()
  say('the replica is back')
  await reach(0.7)
  for (const [index, one] of replicas.entries()) {
    say(`rolling restart: SIGTERM of replica ${index + 1}`)
    await one.stop('SIGTERM')
    await one.start()
    // nginx leaves out for two seconds a server that has failed once.
    await sleep(2_500)
  }
  say('the rolling restart is over')
}
