import mqtt, { type IClientOptions, type IPublishPacket } from 'mqtt'
import type { Clock } from '../../clock.js'
import type { ConnectOptions } from '../../mqtt/connection.js'
import { withoutUndefined } from '../../without-undefined.js'
import type { Answer } from './answer.js'

export interface LinkOptions extends ConnectOptions {
  readonly url: string
  /** What is subscribed to. */
  readonly filter: string
  /** Whether the session outlives the connection. */
  readonly isPersistent: boolean
}

/** What a connection tells its device. `onEnd` is called exactly once; nothing is called after it. */
export interface LinkEvents {
  /** The broker has granted the subscription. */
  onReady(): void
  onMessage(packet: IPublishPacket): void
  /** @param fault why it is over; undefined: no reason is known, or it was asked for */
  onEnd(fault: string | undefined): void
}

/** One connection of one device. */
export interface Link {
  /** Publishes with QoS 1. `done` is called with nothing once it is acknowledged, with what is wrong where it was refused, and never where the connection ends. */
  publish(answer: Answer, done: (fault: string | undefined) => void): void
  /** Says DISCONNECT and ends. */
  close(): void
  /** Ends without a word, as a link that breaks. */
  drop(): void
}

/** How long a broker keeps the session of a device that is away, in seconds: as long as the longest `ttl`. */
const SESSION_EXPIRY_S = 86_400

const KEEPALIVE_S = 60

/** Where the broker stays silent this long after the SUBSCRIBE, the connection is of no use, in milliseconds. */
const SUBACK_TIMEOUT_MS = 10_000

/** Opens a connection, which is not made again when it ends. */
export function openLink (options: LinkOptions, clock: Clock, events: LinkEvents): Link {
  let cancelSubackTimeout = () => {}
  let fault: string | undefined
  let isOver = false
  let isClosing = false
  const isMqtt5 = options.protocolVersion === '5'
  const client = mqtt.connect(options.url, toClientOptions(options))

  client.on('connect', () => {
    cancelSubackTimeout = clock.after(SUBACK_TIMEOUT_MS, () => { fail(new Error('the broker does not answer the subscription')) })
    client.subscribe(options.filter, { qos: 1 }, error => {
      cancelSubackTimeout()
      if (error === null) events.onReady()
      else fail(error)
    })
  })
  // Also before the SUBACK: what waited in a session comes right behind the CONNACK.
  client.on('message', (_topic, _payload, packet) => { events.onMessage(packet) })
  client.on('error', fail)
  client.on('disconnect', ({ reasonCode }) => { fault ??= `the broker disconnected: ${nameReason(Number(reasonCode))}` })
  client.on('close', () => {
    if (!isClosing) fault ??= 'the connection was closed'
    end()
  })

  function fail (error: Error & { code?: unknown }): void {
    // Node reports a refused connection to several addresses as an AggregateError without a message.
    fault = String([error.message, error.code].find(Boolean))
    end()
  }

  function end (): void {
    if (isOver) return
    isOver = true
    cancelSubackTimeout()
    client.removeAllListeners('message')
    client.end(true)
    // Where a `close` still waits for a PUBACK, that alone does nothing.
    client.stream.destroy()
    events.onEnd(fault)
  }

  return {
    publish ({ topic, payload, correlationData, contentType }, done) {
      const properties = { contentType, ...withoutUndefined({ correlationData }) }
      client.publish(topic, payload, { qos: 1, ...(isMqtt5 && { properties }) }, error => {
        if (!isOver) done(error?.message)
      })
    },
    close () {
      isClosing = true
      client.end(false)
    },
    drop: end
  }
}

function toClientOptions (options: LinkOptions): IClientOptions {
  const { clientId, protocolVersion, isPersistent, username, password, ca, cert, key } = options
  return {
    clientId,
    protocolVersion: protocolVersion === '5' ? 5 : 4,
    clean: !isPersistent,
    ...(isPersistent && protocolVersion === '5' && { properties: { sessionExpiryInterval: SESSION_EXPIRY_S } }),
    reconnectPeriod: 0,
    resubscribe: false,
    keepalive: KEEPALIVE_S,
    log: () => {},
    ...withoutUndefined({ username, password, ca, cert, key })
  }
}

function nameReason (code: number): string {
  const names: Readonly<Record<number, string>> = mqtt.ReasonCodes
  return names[code] || `reason code ${code}`
}
