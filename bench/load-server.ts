import { STATUS_CODES } from 'node:http'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { signOwnToken } from '../src/cli/own-token.js'
import { readOrigin } from './origin.js'
import { formatTable } from './report.js'
import { createBodies, PATH } from './request.js'

const USAGE = `Usage: npm run -s load -- --url URL [options]

Sends commands to a running messenger, as many as it answers, and counts its
answers. Every one of them is a real command.

  --url URL         of the messenger, e.g. http://127.0.0.1:3000
  --connections N   callers at a time, 1-10000 (default: 10)
  --duration S      seconds, 1-600 (default: 10)
  --devices N       devices that they are for, 1-100000 (default: 100)
  --token TOKEN     access token (default: one of the demo of this folder)

Exit code 1: not everything was answered 200.
`

/** Longest wait for one answer, in seconds: longer than the server's own limits. */
const ANSWER_TIMEOUT_S = 20

/** Shares of the answers that the latency table tells. */
const PERCENTILES = [50, 90, 99, 99.9, 100]

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
  process.exitCode = 1
}

/** Loads, prints, and gives back the exit code. */
async function run (args: string[]): Promise<number> {
  const { url, connections, durationS, devices, token } = readOptions(args)
  const authorization = `Bearer ${token ?? await signOwnToken({ expiresInS: durationS + 60 })}`
  const running = autocannon({
    url: url + PATH,
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    requests: createBodies(devices).map(body => ({ body })),
    connections,
    duration: durationS,
    timeout: ANSWER_TIMEOUT_S
  })
  // autocannon's own histogram has whole milliseconds only.
  const latencies: number[] = []
  running.on('response', (_client, _statusCode, _bytes, responseMs) => { latencies.push(responseMs) })
  autocannon.track(running, { renderResultsTable: false })
  const { errors, timeouts, statusCodeStats } = await running
  const rows = Object.entries(statusCodeStats).map(([status, { count }]) => [`${status} ${STATUS_CODES[status] ?? ''}`.trim(), String(count)])
  process.stdout.write(`${formatTable([
    ['answer', 'how many'],
    ...rows,
    ...(timeouts > 0 ? [[`none within ${ANSWER_TIMEOUT_S} s`, String(timeouts)]] : []),
    ...(errors > timeouts ? [['connection failed', String(errors - timeouts)]] : [])
  ])}\n`)
  if (latencies.length > 0) process.stdout.write(`\n${formatLatencies(latencies)}\n\n${(latencies.length / durationS).toFixed(0)} answers/s\n`)
  return errors === 0 && rows.length === 1 && '200' in statusCodeStats ? 0 : 1
}

/** Latencies of all answers, whatever they were. */
function formatLatencies (latencies: number[]): string {
  latencies.sort((a, b) => a - b)
  const at = (percent: number) => (latencies[Math.ceil(percent / 100 * latencies.length) - 1] ?? NaN).toFixed(1)
  return formatTable([['latency', 'ms'], ...PERCENTILES.map(percent => [percent === 100 ? 'longest' : `${percent} % within`, at(percent)])])
}

/** @throws {Error} naming the option that is wrong */
function readOptions (args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: 'string' },
      connections: { type: 'string', default: '10' },
      duration: { type: 'string', default: '10' },
      devices: { type: 'string', default: '100' },
      token: { type: 'string' }
    }
  })
  const count = (name: 'connections' | 'duration' | 'devices', most: number) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < 1 || value > most) throw new Error(`--${name} must be a whole number, 1 to ${most}`)
    return value
  }
  if (values.url === undefined) throw new Error('--url is missing')
  return {
    url: readOrigin(values.url),
    connections: count('connections', 10_000),
    durationS: count('duration', 600),
    devices: count('devices', 100_000),
    token: values.token
  }
}
