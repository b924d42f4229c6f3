import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../helpers/until.js'
import { SERVER_KILL } from '../checks.js'
import { createRandom } from '../random.js'
import { LEAST_HEALTHY_SHARE, type Drill } from './drill.js'

/** Longest time under load before the next kill, in milliseconds. */
const LONGEST_LIFE_MS = 500

/** PUBACKs are kept from the server, which is then killed with publishes in flight, and started again. */
export const serverKill: Drill = {
  async run ({ client, link, load, recorder, recovered, healthy, server, timeline }, { seed, callers, rounds }, say) {
    const random = createRandom(seed)
    const fault = { kind: 'stall-down', end: 'cut', delayMs: 0, bytesPerMs: 0 } as const
    const restartsMs: number[] = []
    const failures: string[] = []
    let stranded = 0
    for (let round = 1; round <= rounds; round += 1) {
      const running = load(callers)
      await sleep(random.integer(0, LONGEST_LIFE_MS))
      timeline.begin(SERVER_KILL)
      const before = recorder.publications.length
      link.begin(fault)
      await until(() => recorder.publications.slice(before).some(({ reasonCode }) => reasonCode === 0), 'a PUBACK that is held back')
      const heldMs = performance.now()
      await server.kill()
      await running.stop()
      link.finish(fault)
      const unanswered = new Set(client.answers.filter(({ status, answeredAtMs }) => typeof status === 'string' && answeredAtMs > heldMs).map(({ requestId }) => requestId))
      const met = recorder.publications.filter(({ requestId }) => unanswered.has(requestId)).length
      if (met === 0) failures.push(`kill ${round} met no publish in flight`)
      stranded += met
      restartsMs.push(await server.restart())
      timeline.end()
      await recovered()
      say(`server killed ${round} times`)
    }
    const running = load(callers)
    await healthy()
    await running.stop()
    return {
      rules: { leastHealthyShare: LEAST_HEALTHY_SHARE, brokerLives: true },
      restartsMs,
      facts: [`server killed ${rounds} times; published, and its caller without an answer: ${stranded} commands`],
      failures
    }
  }
}
