import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket } from 'mqtt'
import type { Test } from 'tap'
import type { AppOverrides } from '../../src/app.js'
import { EXAMPLE, startApp, token } from '../helpers/app.js'
import { until } from '../helpers/until.js'
import type { Broker, Env } from './subjects/broker.js'

export const NOT_SENT_BODY = '{"detail":"Somthing went wrong"}'

/** What a caller was told. */
interface Answer {
  readonly status: number
  readonly proxyStatus: string | null
  readonly body: string
}

/** The messenger at a broker, on a port of its own: what is asked of it goes through HTTP. */
export async function startServer (t: Test, broker: Pick<Broker, 'url' | 'env'>, env: Env = {}, overrides: AppOverrides = {}) {
  const log: Array<{ msg: string, reason?: string, receiveMaximum?: number }> = []
  const stream = { write (line: string) { log.push(JSON.parse(line)) } }
  const app = await startApp(t, { ...broker.env, ...env, MQTT_URL: broker.url }, { logger: { level: 'debug', stream }, ...overrides })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const authorization = `Bearer ${await token()}`
  const read = async (response: Response): Promise<Answer> => ({
    status: response.status,
    proxyStatus: response.headers.get('proxy-status'),
    body: await response.text()
  })
  return {
    app,
    log,
    /** Posts a command. */
    send: async (command: object = EXAMPLE, headers: Env = {}) => await read(await fetch(`${url}/messaging/send`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(command)
    })),
    /** What a probe is told. */
    ready: async () => await read(await fetch(`${url}/health/ready`))
  }
}

/** The same, once it is connected. */
export async function startConnectedServer (...args: Parameters<typeof startServer>) {
  const server = await startServer(...args)
  await server.app.mqtt.whenConnected()
  return server
}

/**
 * Whether the messenger comes to be ready with these variables, or is turned away three times:
 * more tries would change nothing.
 */
export async function becomesReady (t: Test, broker: Broker, env: Env) {
  const server = await startServer(t, broker, env)
  const failures = () => server.log.filter(({ msg }) => msg.startsWith('cannot reach the broker')).length
  await until(() => server.app.mqtt.isConnected || failures() >= 3, 'a connection, or three failures')
  return { ...server, isReady: server.app.mqtt.isConnected }
}

/** What a broker says in its CONNACK to somebody who speaks this version. */
export async function readConnack (t: Test, url: string, options: IClientOptions): Promise<IConnackPacket> {
  return (await connect(t, url, options)).connack
}

/**
 * A device that comes back to its session, with what it gets. It does not subscribe again:
 * what waited for it comes with the CONNACK.
 */
export async function resume (t: Test, url: string, options: IClientOptions) {
  const { connack, received } = await connect(t, url, options)
  t.ok(connack.sessionPresent, 'its session is still there')
  return {
    received,
    /** Waits for a message, and says all that have come by then. */
    async payloadsUntil (last: string) {
      const payloads = () => received.map(({ payload }) => payload.toString())
      await until(() => payloads().includes(last), () => `${last} after ${payloads().join()}`)
      return payloads()
    }
  }
}

/** The options of a session that outlives its connections, in either version. */
export function asSession (device: IClientOptions, clientId: string): IClientOptions {
  return { ...device, clientId, clean: false, ...(device.protocolVersion === 5 && { properties: { sessionExpiryInterval: 600 } }) }
}

/**
 * Somebody with a connection of its own, which is not made again where it is lost.
 * @throws {Error} where the broker refuses it
 */
export async function connect (t: Test, url: string, options: IClientOptions) {
  const received: IPublishPacket[] = []
  const client = mqtt.connect(url, { reconnectPeriod: 0, ...options })
  t.teardown(() => { client.end(true) })
  client.on('message', (_topic, _payload, packet) => { received.push(packet) })
  const connack = await new Promise<IConnackPacket>((resolve, reject) => {
    client.once('connect', resolve).once('error', reject).once('close', () => { reject(new Error('closed')) })
  })
  return { client, connack, received }
}
