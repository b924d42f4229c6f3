import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { launch, stop } from './processes.js'

/** A load of so many requests. */
export interface LoadJob {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Each connection cycles through them. */
  readonly bodies: readonly string[]
  readonly connections: number
  /** Turns of as many requests as can be, and of a share of that, evenly spread. Default: all as fast as can be. */
  readonly pace?: Pace
  /** Plain sockets in place of autocannon: less CPU for each request. Always where there are too many connections for autocannon. */
  readonly overSockets?: boolean
  /** Whether each request has an `Idempotency-Key` of its own. Default: none has one. */
  readonly withKeys?: boolean
  /** Authorization headers, which the requests have in turn, in place of the one in `headers`. */
  readonly authorizations?: readonly string[]
  /** Requests over all connections: a count, not a time, so that no request is cut off halfway and all can be accounted for. */
  readonly amount: number
}

/** Turns of requests. Their number is known beforehand, as that of all loads. */
export interface Pace {
  /** Of what the server has just been found to answer at most, 0 to 1. */
  readonly share: number
  readonly turns: number
  /** Requests of each turn that are sent as fast as they are answered. */
  readonly fullRequests: number
  /** Requests of each turn that are sent at the share. */
  readonly pacedRequests: number
}

/** What one of them came to. */
export interface PacedTurn {
  /** Requests a second, at most. */
  readonly capacity: number
  /** At the share of that. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Headers of the nth request. */
export function headersOf ({ headers, withKeys = false, authorizations = [] }: LoadJob, n: number): Record<string, string> {
  const authorization = authorizations[n % authorizations.length]
  return { ...headers, ...(withKeys && { 'idempotency-key': randomUUID() }), ...(authorization !== undefined && { authorization }) }
}

/** What came of a load. */
export interface LoadResult {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Connections that failed, and requests that timed out. */
  readonly errors: number
  /** From the start to the last answer. */
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Where there was a pace. */
  readonly turns?: readonly PacedTurn[]
}

/** Of numbers in order, the first that so large a share of them is not above. */
export function percentile (sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

/** Fewer requests a second than this are no benchmark, but a server that hangs. */
const LEAST_RATE = 500

/** For the start of the load process, in milliseconds. */
const MARGIN_MS = 30_000

const CHILD = fileURLToPath(new URL('load-child.js', import.meta.url))

/**
 * Runs a load from a process of its own, on the load core.
 * @throws where it takes far too long, or any answer is not a 200
 */
export async function runLoad (job: LoadJob): Promise<LoadResult> {
  const child = launch(process.execPath, [CHILD], { core: 'load', stdio: ['pipe', 'pipe', 'inherit'] })
  if (child.stdin === null || child.stdout === null) throw new Error('the load process has no input or output')
  child.stdin.end(JSON.stringify(job))
  const limitMs = MARGIN_MS + job.amount / LEAST_RATE * 1000
  const limit = setTimeout(() => { child.kill('SIGKILL') }, limitMs)
  try {
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    if (output === '') throw new Error(`the load of ${job.amount} requests failed, or took more than ${Math.round(limitMs / 1000)} s`)
    const result: LoadResult = JSON.parse(output)
    assertAllAccepted(result, job.amount)
    return result
  } finally {
    clearTimeout(limit)
    await stop(child)
  }
}

function assertAllAccepted ({ statuses, errors }: LoadResult, amount: number): void {
  if (statuses['200'] === amount && Object.keys(statuses).length === 1 && errors === 0) return
  throw new Error(`not every one of ${amount} requests was answered 200: statuses ${JSON.stringify(statuses)}, ${errors} errors`)
}
