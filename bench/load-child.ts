import autocannon from 'autocannon'
import type { LoadJob, LoadResult } from './load.js'

/** Longest wait for one answer, in seconds: longer than the server's own limits. */
const ANSWER_TIMEOUT_S = 20

/** How often autocannon looks whether it is done, in milliseconds. */
const DONE_CHECK_MS = 100

const job: LoadJob = JSON.parse(process.argv[2] ?? '')
process.stdout.write(JSON.stringify(await run(job)))

async function run ({ url, headers, bodies, connections, amount }: LoadJob): Promise<LoadResult> {
  // autocannon's own histogram has whole milliseconds only.
  const latencies: number[] = []
  let lastMs = 0
  const startMs = performance.now()
  const running = autocannon({
    url,
    method: 'POST',
    headers,
    requests: bodies.map(body => ({ body })),
    connections,
    amount,
    timeout: ANSWER_TIMEOUT_S,
    sampleInt: DONE_CHECK_MS
  })
  running.on('response', (_client, _statusCode, _bytes, responseMs) => {
    lastMs = performance.now()
    latencies.push(responseMs)
  })
  const { errors, statusCodeStats } = await running
  latencies.sort((a, b) => a - b)
  const percentile = (share: number) => latencies[Math.floor(share * (latencies.length - 1))] ?? NaN
  return {
    statuses: Object.fromEntries(Object.entries(statusCodeStats).map(([status, { count }]) => [status, count])),
    errors,
    seconds: (lastMs - startMs) / 1000,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99)
  }
}
