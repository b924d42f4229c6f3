import { setTimeout as sleep } from 'node:timers/promises'
import { LEAST_HEALTHY_SHARE, type Drill } from './drill.js'

/** Life of each connection, in milliseconds: after 2 s the server tries again at once when it loses one. */
const LIFE_MS = 2_200

/** First back-off of the server, in milliseconds. */
const BACKOFF_MS = 100

/** Allowed for everything else, on a busy machine, in milliseconds. */
const MARGIN_MS = 500

/** The link stops forwarding both ways and closes nothing; a new connection works. */
export const halfOpen: Drill = {
  async run ({ client, link, load, recovered, healthy, stalls, publishTimeoutMs }, { callers, rounds }) {
    const limitMs = 2 * publishTimeoutMs + BACKOFF_MS + MARGIN_MS
    const running = load(callers)
    const recoveriesMs: number[] = []
    for (let round = 1; round <= rounds; round += 1) {
      await sleep(LIFE_MS)
      const frozenMs = performance.now()
      const stalledMs = stalls.totalMs
      link.freeze()
      await recovered()
      const next = client.answers.find(({ status, sentAtMs }) => status === 200 && sentAtMs > frozenMs)
      // Without the time in which the suite, and the link in it, stood still.
      recoveriesMs.push((next?.answeredAtMs ?? Infinity) - frozenMs - (stalls.totalMs - stalledMs))
    }
    await healthy()
    await running.stop()
    const slow = recoveriesMs.filter(ms => ms > limitMs)
    return {
      rules: { leastHealthyShare: LEAST_HEALTHY_SHARE, brokerLives: true },
      facts: [`next 200 after the link went silent: at most ${Math.max(...recoveriesMs).toFixed()} ms, of ${limitMs} allowed`],
      failures: slow.map(ms => `the next 200 came ${ms.toFixed()} ms after the link went silent, ${limitMs} are allowed`)
    }
  }
}
