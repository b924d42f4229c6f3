import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from '../client.js'
import { readRssMiB } from '../memory.js'
import type { Drill } from './drill.js'

/**
 * Window, queue, and latency of the link each way, in milliseconds. They make the link the
 * bottleneck, with a window of publishes in each round trip: about fifty a second, so that
 * ten times as much is still little work for a slow machine, which may run other tests besides.
 */
const WINDOW = 5
const QUEUE = 100
const LATENCY_MS = 25

/** Long enough for a PUBACK whatever the load; too short for all that finds a place in the queue. In milliseconds. */
const PUBLISH_TIMEOUT_MS = 2_000
const QUEUE_TIMEOUT_MS = 250

/** How many times the sustainable load. */
const FACTOR = 10

/** Load before the overload, by which it is measured, in milliseconds. */
const BASELINE_MS = 3_000

/** After this the server must be as fast as before, in milliseconds; it is watched for as long again. */
const RECOVERY_LIMIT_MS = 2_000

/** Share of the load that must really have been offered, and of the answers that must be fast after the recovery: the machine may falter. */
const LEAST_OFFERED = 0.8
const LEAST_FAST = 0.9

/** How much slower than before still counts as fast, and how much more memory as bounded. */
const SLOWER = 2
const MOST_GROWTH_MIB = 64

const SAMPLE_MS = 250

/** Ten times the commands that get through: the rest is turned away, at once or after its time in the queue. */
export const overload: Drill = {
  publishTimeoutMs: PUBLISH_TIMEOUT_MS,
  env: { MQTT_QUEUE_TIMEOUT_MS: String(QUEUE_TIMEOUT_MS), MQTT_MAX_INFLIGHT: String(WINDOW), MQTT_MAX_QUEUE: String(QUEUE) },
  async run ({ client, link, load, flood, server, timeline }, { overloadMs }, say) {
    const sentBetween = (fromMs: number, toMs: number) => client.answers.filter(({ sentAtMs }) => sentAtMs >= fromMs && sentAtMs < toMs)
    const sustain = async (ms: number) => {
      const running = load(WINDOW)
      await sleep(ms)
      await running.stop()
    }

    link.setLatency(LATENCY_MS)
    const startMs = performance.now()
    await sustain(BASELINE_MS)
    const before = sentBetween(startMs, Infinity)
    const perSecond = before.length / (performance.now() - startMs) * 1000
    const p99Ms = percentile99(before)
    const rssBeforeMiB = readRssMiB(server.pid)
    say(`sustainable: ${perSecond.toFixed()} a second, p99 ${p99Ms.toFixed()} ms`)

    const floodMs = performance.now()
    const running = flood(perSecond * FACTOR)
    let mostMiB = 0
    while (performance.now() - floodMs < overloadMs) {
      await sleep(SAMPLE_MS)
      mostMiB = Math.max(mostMiB, readRssMiB(server.pid))
    }
    const endMs = performance.now()
    await running.stop()
    await sustain(2 * RECOVERY_LIMIT_MS)

    const during = sentBetween(floodMs, endMs)
    const refused = during.filter(({ status }) => status === 406)
    // The link runs in the suite: where the machine gave it no time, the server may have lost its patience with the broker.
    const hasStalled = timeline.windows.some(({ kinds, endMs }) => kinds.includes('suite-stall') && endMs > floodMs)
    const isExplained = (answer: Answer) => saysNoSlot(answer) || (hasStalled && saysNoBroker(answer))
    const accepted = during.filter(({ status }) => status === 200).length
    const seconds = (endMs - floodMs) / 1000
    const after = sentBetween(endMs + RECOVERY_LIMIT_MS, Infinity)
    const isSlow = (answer: Answer) => answer.status !== 200 || latencyMs(answer) > SLOWER * p99Ms
    const lastSlow = sentBetween(endMs, Infinity).findLast(isSlow)
    return {
      rules: { leastHealthyShare: undefined, brokerLives: true },
      facts: [
        `sustainable ${perSecond.toFixed()}/s; offered ${(during.length / seconds).toFixed()}/s for ${seconds.toFixed()} s; of these accepted ${(accepted / seconds).toFixed()}/s`,
        `memory: ${rssBeforeMiB.toFixed()} MiB before, at most ${mostMiB.toFixed()} MiB during, ${readRssMiB(server.pid).toFixed()} MiB after`,
        `p99: ${p99Ms.toFixed()} ms before, ${percentile99(during).toFixed()} ms during, ${percentile99(after).toFixed()} ms from ${RECOVERY_LIMIT_MS} ms after`,
        `last slow answer sent ${((lastSlow?.sentAtMs ?? endMs) - endMs).toFixed()} ms after the end`
      ],
      failures: [
        ...during.length / seconds < LEAST_OFFERED * FACTOR * perSecond ? ['the callers could not offer ten times the sustainable load'] : [],
        ...refused.some(saysNoSlot) ? [] : ['nothing was turned away'],
        ...refused.filter(answer => !isExplained(answer)).slice(0, 1).map(answer => `406 without its reason: ${JSON.stringify(answer)}`),
        ...mostMiB > rssBeforeMiB + MOST_GROWTH_MIB ? [`memory grew by more than ${MOST_GROWTH_MIB} MiB`] : [],
        ...after.length === 0 || after.filter(isSlow).length > (1 - LEAST_FAST) * after.length ? [`not as fast as before ${RECOVERY_LIMIT_MS} ms after the overload`] : []
      ]
    }
  }
}

/** Whether a 406 says that there was no slot, and when to try again. */
function saysNoSlot ({ proxyStatus, retryAfter }: Answer): boolean {
  return proxyStatus === 'messenger; error=connection_limit_reached' && retryAfter === '1'
}

function saysNoBroker ({ proxyStatus, retryAfter }: Answer): boolean {
  return proxyStatus === 'messenger; error=destination_unavailable' && retryAfter !== undefined
}

function latencyMs ({ sentAtMs, answeredAtMs }: Answer): number {
  return answeredAtMs - sentAtMs
}

function percentile99 (answers: readonly Answer[]): number {
  const sorted = answers.map(latencyMs).sort((a, b) => a - b)
  return sorted[Math.floor(0.99 * (sorted.length - 1))] ?? NaN
}
