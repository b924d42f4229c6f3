import type { Broker } from './broker.js'
import type { Contender } from './contenders.js'
import { runLoad } from './load.js'
import { readCpuUs, readRssMiB, readTree } from './proc.js'
import { BODIES, PATH, type Credentials } from './request.js'
import type { Subject } from './subjects.js'

/** What every measurement needs. */
export interface Bench {
  readonly broker: Broker
  readonly credentials: Credentials
  readonly connections: number
  /** Plain sockets in place of autocannon, see LoadJob. Default: autocannon. */
  readonly overSockets?: boolean
  /** Reports progress, one line. */
  readonly say: (line: string) => void
}

/** One subject under one load; requests are commands where a request has several. */
export interface Measurement {
  readonly requests: number
  readonly requestsPerS: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** CPU of the whole server, its workers included, in microseconds a request. */
  readonly cpuUs: number
  /** Share of the load's time in which the server used its core. */
  readonly busy: number
  /** After the load, in MiB. */
  readonly rssMiB: number
}

/** What is posted: see {@link Contender}. */
export type Shape = Pick<Contender, 'path' | 'bodies' | 'headers' | 'withKeys' | 'commands' | 'connections'> & { readonly authorizations?: readonly string[] }

/** Puts so many commands on a subject. @throws where an answer is not a 200, or not as many commands were delivered as there were 200s */
export async function measure (bench: Bench, subject: Subject, commands: number, shape: Shape = {}): Promise<Measurement> {
  const { broker, credentials, overSockets } = bench
  const { connections = bench.connections, path = PATH, bodies = BODIES, commands: perRequest = 1, headers, withKeys = false, authorizations = [] } = shape
  const requests = Math.max(connections, Math.ceil(commands / perRequest))
  const sent = requests * perRequest
  const sum = (read: (pid: number) => number) => readTree(subject.pid).reduce((total, pid) => total + read(pid), 0)
  const cpuBeforeUs = sum(readCpuUs)
  const { seconds, p50Ms, p99Ms, p999Ms } = await runLoad({
    url: subject.url.replace(PATH, path),
    headers: { ...credentials.headers, ...headers },
    bodies,
    connections,
    amount: requests,
    ...(overSockets !== undefined && { overSockets }),
    withKeys,
    authorizations
  })
  const cpuUs = sum(readCpuUs) - cpuBeforeUs
  await broker.settle(subject.publishes ? sent : 0)
  return {
    requests: sent,
    requestsPerS: sent / seconds,
    p50Ms,
    p99Ms,
    p999Ms,
    cpuUs: cpuUs / sent,
    busy: cpuUs / (seconds * 1e6),
    rssMiB: sum(readRssMiB)
  }
}

/** The middle value, or the mean of the two. */
export function median (values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}
