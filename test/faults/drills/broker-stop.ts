import { setTimeout as sleep } from 'node:timers/promises'
import { LEAST_HEALTHY_SHARE, type Drill } from './drill.js'

/** Load before and after, in milliseconds. */
const LOAD_MS = 500

/** The broker hangs, its connections open and new ones accepted by the kernel, then goes on where it was. */
export const brokerStop: Drill = {
  async run ({ broker, client, timeline, load, recovered }, { callers, stopMs }) {
    const running = load(callers)
    await sleep(LOAD_MS)
    timeline.begin('broker-stop')
    const stoppedMs = performance.now()
    broker.signal('SIGSTOP')
    try {
      await sleep(stopMs)
    } finally {
      broker.signal('SIGCONT') // a stopped process does not even hear SIGTERM
    }
    const continuedMs = performance.now()
    timeline.end()
    await recovered()
    const recoveryMs = performance.now() - continuedMs
    await sleep(LOAD_MS)
    await running.stop()
    const during = client.answers.filter(({ answeredAtMs }) => answeredAtMs > stoppedMs && answeredAtMs < continuedMs)
    const count = (status: number) => during.filter(answer => answer.status === status).length
    return {
      rules: { leastHealthyShare: LEAST_HEALTHY_SHARE, brokerLives: true },
      facts: [
        `answered while the broker hung: 200 ${count(200)}, 406 ${count(406)}, 504 ${count(504)}`,
        `healthy again ${recoveryMs.toFixed()} ms after it went on, the publish time-out included`
      ],
      failures: count(504) > 0 ? [] : ['no publish was in flight when the broker hung']
    }
  }
}
