import type { Broker } from './broker.js'
import { runLoad } from './load.js'
import { readCpuUs, readRssMiB, readTree } from './proc.js'
import { BODIES, type Credentials } from './request.js'
import type { Subject } from './subjects.js'

/** What every measurement needs. */
export interface Bench {
  readonly broker: Broker
  readonly credentials: Credentials
  readonly connections: number
  /** Reports progress, one line. */
  readonly say: (line: string) => void
}

/** One subject under one load. */
export interface Measurement {
  readonly requests: number
  readonly requestsPerS: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of the whole server, its workers included, in microseconds a request. */
  readonly cpuUs: number
  /** Share of the load's time in which the server used its core. */
  readonly busy: number
  /** After the load, in MiB. */
  readonly rssMiB: number
}

/** Puts a load on a subject. @throws where an answer is not a 200, or a 200 was not delivered exactly once */
export async function measure (bench: Bench, subject: Subject, requests: number): Promise<Measurement> {
  const { broker, credentials: { headers }, connections } = bench
  const sum = (read: (pid: number) => number) => readTree(subject.pid).reduce((total, pid) => total + read(pid), 0)
  const cpuBeforeUs = sum(readCpuUs)
  const { seconds, p50Ms, p99Ms } = await runLoad({ url: subject.url, headers, bodies: BODIES, connections, amount: requests })
  const cpuUs = sum(readCpuUs) - cpuBeforeUs
  await broker.settle(subject.publishes ? requests : 0)
  return {
    requests,
    requestsPerS: requests / seconds,
    p50Ms,
    p99Ms,
    cpuUs: cpuUs / requests,
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
