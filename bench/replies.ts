import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nameDevices } from '../src/cli/device/imeis.js'
import type { Broker } from './broker.js'
import { createCaller } from './caller.js'
import { launch } from './processes.js'
import { createCredentials } from './request.js'
import { startMessenger } from './subjects.js'
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
const LOADS = 3

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
 * first load, then again on the same, and again. In the first round the callers and the devices are as cold as it is, and share its machine.
 */
async function measureReplies (broker: Broker): Promise<void> {
  const credentials = createCredentials()
  const imeis = nameDevices(DEVICE, count)
  let wrong = 0
  say(`${count} callers wait at once for devices that take ${REPLY_DELAY_MS} ms; goal: 99 % within ${GOAL_MS} ms`)
  const p99s: number[] = []
  say('messenger  load  connections  200 with own reply  50 % within  99 % within  longest (ms)')
  for (let round = 1; round <= rounds; round += 1) {
    const messenger = await startMessenger(credentials, broker)
    const callers = imeis.map(imei => ({ imei, ...createCaller({ url: messenger.url, headers: credentials.headers, imei, waitS: WAIT_S }) }))
    for (let load = 1; load <= LOADS; load += 1) {
      const times: number[] = []
      const answers = await Promise.all(callers.map(async ({ imei, ask }) => {
        const startedMs = performance.now()
        const answer = await ask()
        times.push(performance.now() - startedMs)
        return answer === `200 ${imei}`
      }))
      const right = answers.filter(isRight => isRight).length
      wrong += count - right
      times.sort((one, other) => one - other)
      const within = (share: number) => times[Math.ceil(share * count) - 1] ?? NaN
      p99s.push(within(0.99))
      say([`no. ${round}`, load, load === 1 ? 'new' : 'kept', right, within(0.5).toFixed(0), within(0.99).toFixed(0), within(1).toFixed(0)]
        .map((cell, column) => String(cell).padStart([9, 4, 11, 18, 11, 11, 7][column] ?? 0)).join('  '))
      // What is not delivered once, and once only, ends the measurement.
      await broker.settle(right)
    }
    for (const { close } of callers) close()
    await messenger.stop()
  }
  const met = p99s.filter(ms => ms < GOAL_MS).length
  say(`99 % within ${GOAL_MS} ms: ${met === p99s.length ? 'met' : `MISSED in ${p99s.length - met} of ${p99s.length} loads`}`)
  if (wrong > 0) throw new Error(`${wrong} answers were not the 200 of their own device`)
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
