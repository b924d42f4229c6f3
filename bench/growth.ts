import { PLAIN, startContender } from './contenders.js'
import { measure, type Bench, type Measurement, type Shape } from './measure.js'
import { formatTable } from './report.js'
import { BODIES, createBodies } from './request.js'

/** What grows, and how far. */
const CONNECTIONS = [1, 8, 64, 512, 5_000]
const DEVICES = [1, 100, 10_000, 100_000]
const TOKENS = [1, 100, 10_000]

const WARM_UP_COMMANDS = 20_000

/** One point of a curve. */
export interface Point extends Measurement {
  readonly what: 'connections' | 'devices' | 'tokens'
  readonly count: number
}

/** Measures one messenger, fresh for each curve, while one thing grows and all others stay. */
export async function runGrowth (bench: Bench, { seconds }: { readonly seconds: number }): Promise<readonly Point[]> {
  const { credentials } = bench
  const points: Point[] = []

  async function follow (what: Point['what'], counts: readonly number[], at: (count: number) => { connections?: number, shape?: Shape }): Promise<void> {
    // As the largest of its points needs it.
    const subject = await startContender({ ...bench, connections: Math.max(...counts.map(count => at(count).connections ?? bench.connections)) }, PLAIN)
    await measure(bench, subject, WARM_UP_COMMANDS)
    for (const count of counts) {
      const { connections = bench.connections, shape } = at(count)
      // One program for all points: autocannon makes some requests ready and others not, and cannot open the most connections.
      const load = { ...bench, connections, overSockets: true }
      // The first of them meets what is new: tokens to verify, connections to open.
      const { requestsPerS } = await measure(load, subject, Math.max(WARM_UP_COMMANDS, count), shape)
      const point = { what, count, ...await measure(load, subject, Math.round(requestsPerS * seconds), shape) }
      points.push(point)
      bench.say(`${count} ${what}: ${point.requestsPerS.toFixed(0)}/s, p99 ${point.p99Ms.toFixed(1)} ms`)
    }
    await subject.stop()
  }

  await follow('connections', CONNECTIONS, connections => ({ connections }))
  await follow('devices', DEVICES, devices => ({ shape: { bodies: createBodies(devices) } }))
  await follow('tokens', TOKENS, tokens => ({
    shape: { bodies: BODIES, authorizations: Array.from({ length: tokens }, (_, index) => credentials.authorizationOf(`caller-${index}`)) }
  }))
  return points
}

/** The curves as a table. */
export function formatGrowth (points: readonly Point[]): string {
  return formatTable([
    ['what grows', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'RSS MiB'],
    ...points.map(({ what, count, requestsPerS, p50Ms, p99Ms, cpuUs, rssMiB }) =>
      [`${count} ${what}`, requestsPerS.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), cpuUs.toFixed(1), rssMiB.toFixed(1)])
  ])
}
