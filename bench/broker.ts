import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt, { type MqttClient } from 'mqtt'
import { findFreePort, isOver, launch, stop } from './processes.js'

/** Where Debian puts it, which is not on every PATH. */
const SBIN = '/usr/sbin/mosquitto'

/** Longest wait for the broker to listen, in milliseconds. */
const START_LIMIT_MS = 5_000

/** Longest wait for what the broker still has to deliver, in milliseconds. */
const DELIVERY_LIMIT_MS = 10_000

/** How long to look out for deliveries that should not be, in milliseconds. */
const SURPLUS_WAIT_MS = 100

const POLL_MS = 10

/** Of a process, as `nice` has it. */
const LEAST_PRIORITY = 19

/** What a device answers. */
const REPLY = '{"ok":true}'

/** Topic of the commands whose callers wait for a device. */
export const ANSWERED_TOPIC = 'answered/{imei}/commands'

/** A broker with a subscriber that counts, and one that answers for the devices. */
export interface Broker {
  readonly url: string
  /**
   * Waits for the delivery of what was answered 200.
   * @param accepted 200s since the call before
   * @throws where, soon, not exactly as many commands have been delivered as there were 200s in all
   */
  settle(accepted: number): Promise<void>
  stop(): Promise<void>
}

/** How Mosquitto is set. */
export interface BrokerOptions {
  /** The Receive Maximum that it announces. Default 1000: with its own, 20, 64 callers would wait in line for each other. */
  readonly receiveMaximum?: number
  /** Whether each PUBACK leaves at once. Default false, as is Mosquitto's. */
  readonly noDelay?: boolean
}

/** Starts Mosquitto on a free loopback port, on the load core, and subscribes to every command. */
export async function startBroker ({ receiveMaximum = 1000, noDelay = false }: BrokerOptions = {}): Promise<Broker> {
  const port = await findFreePort()
  const url = `mqtt://127.0.0.1:${port}`
  const directory = mkdtempSync(join(tmpdir(), 'messenger-bench-'))
  const devices = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 50 })
  devices.on('error', () => {}) // refused until the broker listens
  let child: ChildProcess
  try {
    child = launchMosquitto(port, join(directory, 'mosquitto.conf'), { receiveMaximum, noDelay })
    await untilConnected(devices, child)
  } catch (error) {
    devices.end(true)
    throw error
  } finally {
    // By now it has been read.
    rmSync(directory, { recursive: true })
  }

  devices.on('message', (_topic, _payload, { properties: { responseTopic, correlationData } = {} }) => {
    if (responseTopic !== undefined && correlationData !== undefined) devices.publish(responseTopic, REPLY, { properties: { correlationData } })
  })
  await devices.subscribeAsync(ANSWERED_TOPIC.replace('{imei}', '+'), { qos: 0 })
  const counter = await startCounter(port, devices)
  let expected = counter.delivered

  return {
    url,
    async settle (accepted) {
      expected += accepted
      const limitMs = performance.now() + DELIVERY_LIMIT_MS
      const isMissing = () => counter.delivered < expected
      while (isMissing() && performance.now() < limitMs) await sleep(POLL_MS)
      await sleep(SURPLUS_WAIT_MS)
      if (counter.delivered !== expected) throw new Error(`${expected} requests were answered 200, but ${counter.delivered} commands were delivered`)
    },
    async stop () {
      await devices.endAsync(true)
      await counter.stop()
      await stop(child)
    }
  }
}

/**
 * Counts what is delivered by the lines that mosquitto_sub prints. It shares the load core with Mosquitto, and must not be the limit of
 * what is measured: a subscriber in Node would take more than Mosquitto itself. So it writes into a file, which nobody reads meanwhile,
 * and runs when nobody else does, many commands at a time.
 */
async function startCounter (port: number, probe: MqttClient) {
  const args = ['-n', String(LEAST_PRIORITY), 'mosquitto_sub', '-h', '127.0.0.1', '-p', String(port), '-V', 'mqttv5', '-t', '+/+/commands', '-q', '0', '-F', '.']
  const output = openUnnamed()
  const child = launch('nice', args, { core: 'load', stdio: ['ignore', output, 'inherit'] })
  const counter = {
    // A line is a point and a line feed.
    get delivered () { return Math.floor(fstatSync(output).size / 2) },
    async stop (): Promise<void> {
      await stop(child)
      closeSync(output)
    }
  }
  const limitMs = performance.now() + START_LIMIT_MS
  const isDeaf = () => counter.delivered === 0
  while (isDeaf()) {
    if (isOver(child)) throw new Error('mosquitto_sub did not start; it must be installed')
    if (performance.now() > limitMs) throw new Error('mosquitto_sub hears nothing')
    await probe.publishAsync('probe/1/commands', '')
    await sleep(POLL_MS)
  }
  await sleep(SURPLUS_WAIT_MS)
  return counter
}

/** A file without a name, which is gone when nobody has it open any more. */
function openUnnamed (): number {
  const directory = mkdtempSync(join(tmpdir(), 'messenger-bench-'))
  try {
    return openSync(join(directory, 'delivered'), 'w')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function launchMosquitto (port: number, configFile: string, { receiveMaximum, noDelay }: Required<BrokerOptions>): ChildProcess {
  // The queue has no limit, so that no delivery to the counting subscriber is dropped.
  const config = [
    `listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', 'max_queued_messages 0',
    `max_inflight_messages ${receiveMaximum}`, `set_tcp_nodelay ${noDelay}`, 'log_dest stderr', 'log_type error'
  ]
  writeFileSync(configFile, `${config.join('\n')}\n`)
  return launch(existsSync(SBIN) ? SBIN : 'mosquitto', ['-c', configFile], { core: 'load' })
}

async function untilConnected (client: MqttClient, child: ChildProcess): Promise<void> {
  const limitMs = performance.now() + START_LIMIT_MS
  const isWaiting = () => !client.connected
  while (isWaiting()) {
    if (isOver(child)) throw new Error('Mosquitto did not start; it must be installed')
    if (performance.now() > limitMs) throw new Error('Mosquitto does not answer')
    await sleep(POLL_MS)
  }
}
