import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../random.js'
import { LEAST_HEALTHY_SHARE, type Drill } from './drill.js'

/** Longest time between a recovery and the next kill, and longest time without a broker, in milliseconds. */
const LONGEST_LIFE_MS = 300
const LONGEST_OUTAGE_MS = 300

/** How many times as many kills there may be until one has met a publish in flight. */
const MOST_TIMES = 10

/** The broker is killed under load and started again. It forgets everything. */
export const brokerKill: Drill = {
  async run ({ broker, client, subscriber, timeline, load, recovered, healthy }, { seed, callers, kills }, say) {
    const random = createRandom(seed)
    const running = load(callers)
    const hasMetOne = () => client.answers.some(({ status }) => status === 504)
    let kill = 0
    while (kill < kills || (!hasMetOne() && kill < MOST_TIMES * kills)) {
      kill += 1
      await sleep(random.integer(0, LONGEST_LIFE_MS))
      timeline.begin('broker-kill')
      await broker.stop('SIGKILL')
      await sleep(random.integer(0, LONGEST_OUTAGE_MS))
      await broker.start()
      timeline.end()
      await subscriber.subscribed()
      await recovered()
      if (kill % 10 === 0) say(`broker killed ${kill} times`)
    }
    await healthy()
    await running.stop()
    return {
      rules: { leastHealthyShare: LEAST_HEALTHY_SHARE, brokerLives: false },
      facts: [`broker killed and started again: ${kill} times`],
      failures: hasMetOne() ? [] : ['no kill met a publish in flight']
    }
  }
}
