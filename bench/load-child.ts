import { readFileSync } from 'node:fs'
import autocannon, { type Request } from 'autocannon'
import { headersOf, percentile, type LoadJob, type LoadResult } from './load.js'
import { runPaced } from './paced-load.js'
import { openSocketLoad, type Timing } from './socket-load.js'

/** Longest wait for one answer, in seconds: longer than the server's own limits. */
const ANSWER_TIMEOUT_S = 20

/** Connections that the system takes when they come at once. */
const MOST_AT_ONCE = 1_000

/** How often autocannon looks whether it is done, in milliseconds. */
const DONE_CHECK_MS = 100

/** Most bodies that are made ready for each connection. */
const READY_BODIES = 1000

// On standard input: a hundred thousand bodies are too much for a command line.
const job: LoadJob = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(await run(job)))

/** The answers of a load, as they came. */
interface Answers extends Timing {
  readonly statuses: Map<string, number>
  readonly errors: number
}

async function run (job: LoadJob): Promise<LoadResult> {
  if (job.pace !== undefined) {
    const paced = await runPaced(job, job.pace)
    return { ...summarize(paced), turns: paced.turns }
  }
  const { connections, overSockets = connections > MOST_AT_ONCE } = job
  return summarize(await (overSockets ? runOverSockets(job) : runFull(job)))
}

function summarize ({ statuses, errors, latencies, startMs, lastMs }: Answers): LoadResult {
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    statuses: Object.fromEntries(statuses),
    errors,
    seconds: (lastMs - startMs) / 1000,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999)
  }
}

/** The same as {@link runFull}, where autocannon cannot. */
async function runOverSockets (job: LoadJob): Promise<Answers> {
  const load = await openSocketLoad(job)
  const timing = await load.runFull(job.amount)
  load.close()
  return { ...timing, statuses: load.statuses, errors: load.errors }
}

/** As many requests as can be: each connection sends the next one when it has its answer. */
async function runFull (job: LoadJob): Promise<Answers> {
  const { url, headers, connections, amount } = job
  // autocannon's own histogram has whole milliseconds only.
  const latencies: number[] = []
  let lastMs = 0
  const startMs = performance.now()
  const running = autocannon({
    url,
    method: 'POST',
    headers,
    requests: requestsOf(job),
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
  return { statuses: new Map(Object.entries(statusCodeStats).map(([status, { count }]) => [status, count])), errors, latencies, startMs, lastMs }
}

/** What each connection sends, in turn. Where that is too much to be made ready for each of them, it is made for each request. */
function requestsOf (job: LoadJob): Request[] {
  const { bodies, withKeys = false, authorizations = [] } = job
  if (!withKeys && authorizations.length === 0 && bodies.length <= READY_BODIES) return bodies.map(body => ({ body }))
  let made = 0
  return [{
    setupRequest (request) {
      made += 1
      const body = bodies[made % bodies.length]
      return { ...request, ...(body !== undefined && { body }), headers: headersOf(job, made) }
    }
  }]
}
