import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nameDevices } from '../src/cli/device/imeis.js'
import type { Broker } from './broker.js'
import { createCaller } from './caller.js'
import { BARE, PLAIN, startContender, type Contender } from './contenders.js'
import { percentile } from './load.js'
import type { Bench } from './measure.js'
import { launch } from './processes.js'
import { createCredentials } from './request.js'
import { until } from './until.js'
import { withBroker } from './with-broker.js'

/** What 99 of 100 callers hear within, in milliseconds: the goal. */
const GOAL_MS = 500

/** How long a device takes to answer, in milliseconds. */
const REPLY_DELAY_MS = 50

/** How long each caller waits, in seconds. */
const WAIT_S = 5

const DEVICE = 'sim'

/** Of each messenger. */
const LOADS = 6

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000' }, rounds: { type: 'string', default: '5' } } })
const [count, rounds] = [Number(values.count), Number(values.rounds)]
await withBroker(() => {
  if (!Number.isInteger(count) || count < 2 || count > 10_000) throw new RangeError('--count must be a whole number, 2 to 10000')
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new RangeError('--rounds must be a whole number, 1 to 100')
}, async broker => {
  await startSimulator(broker)
  await measureReplies(broker)
})

/** Each device answers with its own imei. */
async function startSimulator (broker: Broker): Promise<void> {
  const program = fileURLToPath(new URL('../src/cli/device.js', import.meta.url))
  const args = [program, DEVICE, '--count', String(count), '--reply', '{imei}', '--reply-delay', String(REPLY_DELAY_MS)]
  const simulator = launch(process.execPath, args, {
    core: 'load', env: { PATH: process.env.PATH ?? '', MQTT_URL: broker.url, JWT_SECRET: 'read, and not used' }, stdio: ['ignore', 'ignore', 'pipe']
  })
  let output = ''
  simulator.stderr?.on('data', chunk => { output += String(chunk) })
  await until(() => output.includes('waiting for commands'), `${count} devices`)
}

/**
 * Each round has a messenger that was just started, to which all callers send at once: first each on a new connection, which is its very
 * first load, then again and again on the same. In the first round the devices are as cold as it is, and share its machine.
 * Before it, bare Fastify has the same loads, and no device to wait for: what it takes is the machine's, and Node's own start.
 * Round 0, of bare Fastify alone, is for the callers, who would be cold otherwise.
 */
async function measureReplies (broker: Broker): Promise<void> {
  const credentials = createCredentials()
  const bench: Bench = { broker, credentials, connections: count, say }
  say(`${count} callers wait at once for devices that take ${REPLY_DELAY_MS} ms; goal: 99 % within ${GOAL_MS} ms`)
  say(toRow(['round', 'server', 'load', 'connections', '200, as it should be', '50 % within', '99 % within', 'longest (ms)']))
  await measureLoads({ bench, round: 0, contender: BARE })
  const byLoad: number[][] = []
  for (let round = 1; round <= rounds; round += 1) {
    await measureLoads({ bench, round, contender: BARE })
    byLoad.push(await measureLoads({ bench, round, contender: PLAIN }))
  }
  // What is not compiled yet runs ever less.
  for (const [from, to] of [[1, 1], [2, 3], [4, LOADS]] as const) {
    say(`Load ${from === to ? from : `${from} to ${to}`} of a messenger: ${judge(byLoad.flatMap(p99s => p99s.slice(from - 1, to)))}`)
  }
}

function judge (p99s: readonly number[]): string {
  const missed = p99s.filter(ms => ms >= GOAL_MS).length
  return `99 % within ${Math.min(...p99s).toFixed(0)} to ${Math.max(...p99s).toFixed(0)} ms; ${GOAL_MS} ms: ${missed === 0 ? 'met' : `MISSED in ${missed} of ${p99s.length} loads`}`
}

/** The loads of one server, from its start to its end. */
interface Turn {
  readonly bench: Bench
  readonly round: number
  readonly contender: Contender
}

/** @returns within how many milliseconds 99 % of each load were answered. @throws where one was not 200, with the reply of its own device */
async function measureLoads ({ bench, round, contender }: Turn): Promise<number[]> {
  const { broker, credentials: { headers } } = bench
  const subject = await startContender(bench, contender)
  const callers = nameDevices(DEVICE, count).map(imei => ({
    // Bare Fastify's answer has no reply in it.
    right: subject.publishes ? `200 ${imei}` : '200 undefined',
    ...createCaller({ url: subject.url, headers, imei, waitS: WAIT_S })
  }))
  const p99s: number[] = []
  for (let load = 1; load <= LOADS; load += 1) {
    const times: number[] = []
    const wrong: string[] = []
    await Promise.all(callers.map(async ({ right, ask }) => {
      const startedMs = performance.now()
      const answer = await ask()
      times.push(performance.now() - startedMs)
      if (answer !== right) wrong.push(`${answer} instead of ${right}`)
    }))
    if (wrong.length > 0) throw new Error(`${wrong.length} answers of ${contender.name} were wrong, the first one: ${wrong[0]}`)
    times.sort((one, other) => one - other)
    const [p50, p99, longest] = [0.5, 0.99, 1].map(share => percentile(times, share))
    say(toRow([round, subject.publishes ? 'messenger' : 'bare', load, load === 1 ? 'new' : 'kept', count, ...[p50, p99, longest].map(ms => Math.round(Number(ms)))]))
    p99s.push(Number(p99))
    // What is not delivered once, and once only, ends the measurement.
    await broker.settle(subject.publishes ? count : 0)
  }
  for (const { close } of callers) close()
  await subject.stop()
  return p99s
}

function toRow (cells: ReadonlyArray<string | number>): string {
  return cells.map((cell, column) => String(cell).padStart([5, 9, 4, 11, 20, 11, 11, 12][column] ?? 0)).join('  ')
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
