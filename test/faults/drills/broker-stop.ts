import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../helpers/until.js'
import { LEAST_HEALTHY_SHARE, type Drill } from './drill.js'

/** Load before, in milliseconds. */
const LOAD_MS = 500

/** Longest wait for an answer that only a broker that hangs brings about, in milliseconds: the machine may falter. */
const UNKNOWN_LIMIT_MS = 30_000

/** The broker hangs, its connections open and new ones accepted by the kernel, then goes on where it was. */
export const brokerStop: Drill = {
  async run ({ broker, client, timeline, load, recovered, healthy }, { callers, stopMs }) {
    const running = load(callers)
    await sleep(LOAD_MS)
    timeline.begin('broker-stop')
    const stoppedMs = performance.now()
    broker.signal('SIGSTOP')
    try {
      await sleep(stopMs)
      await until(() => client.answers.some(({ status, answeredAtMs }) => status === 504 && answeredAtMs > stoppedMs), 'an answer to what was in flight', UNKNOWN_LIMIT_MS)
    } finally {
      broker.signal('SIGCONT') // a stopped process does not even hear SIGTERM
    }
    const continuedMs = performance.now()
    timeline.end()
    await recovered()
    const recoveryMs = performance.now() - continuedMs
    await healthy()
    await running.stop()
    const during = client.answers.filter(({ answeredAtMs }) => answeredAtMs > stoppedMs && answeredAtMs < continuedMs)
    const count = (status: number) => during.filter(answer => answer.status === status).length
    return {
      rules: { leastHealthyShare: LEAST_HEALTHY_SHARE, brokerLives: true },
      facts: [
        `answered while the broker hung: 200 ${count(200)}, 406 ${count(406)}, 504 ${count(504)}`,
        `healthy again ${recoveryMs.toFixed()} ms after it went on, the publish time-out included`
      ],
      failures: []
    }
  }
}
