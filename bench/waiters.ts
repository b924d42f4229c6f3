import { parseArgs } from 'node:util'
import mqtt, { type IPublishPacket } from 'mqtt'
import { buildApp } from '../src/app.js'
import { loadConfig } from '../src/config/config.js'
import type { SentWait } from '../src/plugins/mqtt.js'
import type { Broker } from './broker.js'
import { createCaller } from './caller.js'
import { readRssMiB, requireProc } from './proc.js'
import { createCredentials } from './request.js'
import { startMessenger } from './subjects.js'
import { until } from './until.js'
import { withBroker } from './with-broker.js'

/** Memory that one wait takes, in bytes: the goal. */
const GOAL_BYTES = 2_048

/** Callers that begin at a time: the system refuses connections that come faster than they are accepted. */
const BATCH = 250

/** How long each caller would wait, in seconds: longer than the run. */
const WAIT_S = 60

const { values } = parseArgs({ options: { count: { type: 'string', default: '10000' } } })
const count = Number(values.count)
await withBroker(() => {
  requireProc()
  if (!Number.isInteger(count) || count < BATCH || count > 10_000) throw new RangeError(`--count must be a whole number, ${BATCH} to 10000`)
}, async broker => {
  await measureWaits(broker)
  await measureCallers(broker)
})

/** What a wait takes by itself, without the HTTP request: measured inside of this process. */
async function measureWaits (broker: Broker): Promise<void> {
  const app = await buildApp(loadConfig({ MQTT_URL: broker.url, JWT_SECRET: 'a secret of the bench, of more than 32 bytes' }))
  await app.ready()
  await app.mqtt.whenConnected()
  const begin = async () => {
    const waits: SentWait[] = []
    for (let n = 0; n < count; n += 1) {
      const imei = `2637263721637263712637${n}`
      const command = { imei, topic: `devices/${imei}/commands`, microOp: 'push_down', ttlS: WAIT_S, receivedAtMs: performance.now(), requestId: `request-${n}` }
      waits.push(app.mqtt.sendAndWait(command, WAIT_S))
      if (n % BATCH === 0) await until(() => app.mqtt.inFlight < BATCH, 'PUBACKs')
    }
    await until(() => app.mqtt.waiters === count && app.mqtt.inFlight === 0, 'the PUBACKs')
    return waits
  }
  const end = async (waits: readonly SentWait[]) => {
    for (const { leave } of waits) leave()
    await Promise.all(waits.map(({ sent }) => sent))
  }
  // Once beforehand, so that buffers and tables have their size.
  await end(await begin())
  const before = readHeapBytes()
  const waits = await begin()
  const bytes = (readHeapBytes() - before) / count
  say(`${count} waits: ${bytes.toFixed(0)} bytes each beside the request itself (goal: at most ${GOAL_BYTES}); ${count} that are over and remembered not counted`)
  await end(waits)
  await app.close()
  // Those of both times.
  await broker.settle(2 * count)
}

/** So many callers over HTTP wait at once for a device, which answers when all of them do. */
async function measureCallers (broker: Broker): Promise<void> {
  const credentials = createCredentials()
  const messenger = await startMessenger(credentials, broker)
  const commands: IPublishPacket[] = []
  const device = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
  device.on('message', (_topic, _payload, packet) => { commands.push(packet) })
  await device.subscribeAsync('devices/+/commands', { qos: 0 })

  const callers = Array.from({ length: count }, (_, n) => createCaller({ url: messenger.url, headers: credentials.headers, imei: `d${n}`, waitS: WAIT_S }))
  const beforeMiB = readRssMiB(messenger.pid)
  const answers: Array<Promise<string>> = []
  for (const [n, { ask }] of callers.entries()) {
    answers.push(ask())
    if (n % BATCH === BATCH - 1) await until(() => commands.length === n + 1, `${n + 1} commands at the device`)
  }
  await until(() => commands.length === count, `${count} commands at the device`)
  const waitingMiB = readRssMiB(messenger.pid)
  const startedMs = performance.now()
  for (const { topic, properties } of commands) {
    device.publish(String(properties?.responseTopic), topic, { properties: { ...(properties?.correlationData !== undefined && { correlationData: properties.correlationData }) } })
  }
  const wrong = (await Promise.all(answers)).filter((answer, n) => answer !== `200 devices/d${n}/commands`)
  const answeredMs = performance.now() - startedMs
  say(`${count} callers over HTTP wait at once: ${(waitingMiB - beforeMiB).toFixed(0)} MiB more resident, ${((waitingMiB - beforeMiB) * 1024 / count).toFixed(1)} KiB each with connection and request`)
  say(`${count - wrong.length} of ${count} were answered with the reply of their own device, the last one ${answeredMs.toFixed(0)} ms after the first reply`)
  for (const { close } of callers) close()
  await device.endAsync(true)
  await messenger.stop()
  if (wrong.length > 0) throw new Error(`wrong answers, e.g.: ${wrong[0]}`)
}

function readHeapBytes (): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function say (line: string): void {
  process.stdout.write(`${line}\n`)
}
