import asyncMqtt from 'async-mqtt'
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient, type Packet } from 'mqtt'
import { traceparentOf } from '../tracing/trace-context.js'
import { withoutUndefined } from '../without-undefined.js'
import { createCommandChannel, type CommandChannel, type PublishOptions } from './command-channel.js'
import { createPacketIds, type PacketIds } from './packet-ids.js'
import { propertiesOf } from './publication.js'
import type { Link } from './publisher.js'
import { markWritten } from './waiting-publication.js'

/** MQTT protocol level to speak: 3.1.1 (level 4) has no reason codes, expiry or Receive Maximum. */
export type ProtocolVersion = '5' | '3.1.1'

/** How to reach and greet a broker. */
export interface ConnectOptions {
  readonly clientId: string
  readonly protocolVersion: ProtocolVersion
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** PEM contents: trusted authorities, and the client's own certificate and key. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** A connection that replies can be subscribed to on. */
export interface SubscribableLink extends Link {
  /** Asks for what is published under a Topic Filter, once; the SUBACK is an event. */
  subscribe(filter: string): void
}

/** What a connection tells its owner. `onEnd` is called exactly once, whatever happened; nothing is called after it. */
export interface ConnectionEvents {
  /** The broker accepted the connection (CONNACK 0): it may be used. */
  onOpen(link: SubscribableLink): void
  /** A PUBACK arrived. Its reason code is 0 where it has none (MQTT 3.1.1, or success in MQTT 5). */
  onPuback(packetId: number, reasonCode: number): void
  /** The SUBACK arrived. From 0x80 on, its reason code is a refusal. */
  onSuback(reasonCode: number): void
  /** A message of the subscription arrived. `correlationData` and `traceparent`, a user property, are MQTT 5 only. */
  onMessage(topic: string, payload: Buffer, correlationData: Buffer | undefined, traceparent: string | undefined): void
  /** The connection is over, or never came to be. */
  onEnd(reason: string): void
}

/** One attempt at a connection, from the first packet to the last. */
export interface Connection {
  /** Says DISCONNECT and closes. Publishes in flight keep it open: see {@link Connection.drop}. */
  close(): void
  /** Ends it at once. */
  drop(reason: string): void
}

/** Where the broker stays silent this long after the CONNECT, the attempt is over. */
const CONNACK_TIMEOUT_MS = 5_000

/** An idle dead link is noticed after 1.5 times this. */
const KEEPALIVE_S = 15

/** Largest packet that the broker may send us, in bytes: a device could fill our memory with one reply (MQTT 5, 3.1.2.11.4). */
const MAX_PACKET_BYTES = 1_048_576

/** Bytes of a Packet Identifier (MQTT 5, 2.2.1). */
const PACKET_ID_BYTES = 2

/** Receive Maximum where the broker states none (MQTT 5, 3.2.2.3.3). */
const DEFAULT_RECEIVE_MAXIMUM = 65_535

/**
 * The part of async-mqtt's client that we use. Its own types were written for
 * mqtt 4 and do not compile against mqtt 5, over which it runs well.
 */
interface AsyncClient {
  publish(topic: string, payload: string, options: PublishOptions): Promise<unknown>
  subscribe(filter: string, options: object): Promise<unknown>
}
const { AsyncClient } = asyncMqtt as { AsyncClient: new (client: MqttClient) => AsyncClient }

/**
 * Opens one connection with one MQTT.js client object, which dies with it.
 *
 * MQTT.js keeps what it could not deliver and sends it after a reconnect: for a
 * command that was answered "not sent" or "unknown" that is the one thing that
 * must never happen. So the client never reconnects, and a new one knows nothing
 * of the old.
 */
export function openConnection (url: string, options: ConnectOptions, events: ConnectionEvents): Connection {
  const packetIds = createPacketIds()
  let client: MqttClient | undefined
  let commands: CommandChannel | undefined
  let ended = false

  try {
    client = mqtt.connect(url, toClientOptions(options, packetIds))
    listen(client)
  } catch (error) {
    // After this call has returned, as for any other failure.
    queueMicrotask(() => { drop(messageOf(error as Error)) })
  }

  function listen (client: MqttClient): void {
    const isVersion5 = options.protocolVersion === '5'
    const channel = createCommandChannel(client, { packetIds, onAccepted: acknowledge })
    const asyncClient = new AsyncClient(client)
    commands = channel

    // Ready is this event: `client.connected` is true before it.
    client.on('connect', connack => {
      // What came with the CONNACK may have ended it.
      if (ended) return
      const fault = findFault(connack)
      if (fault !== undefined) drop(fault)
      else events.onOpen(createLink(connack))
    })
    client.on('packetreceive', packet => {
      // Those that accept a command do not come here.
      if (packet.cmd === 'puback') {
        // MQTT.js would take it from the packet after this one.
        if (Number(packet.length) < PACKET_ID_BYTES) {
          drop('the broker sent a PUBACK without a Packet Identifier')
          return
        }
        channel.settle(Number(packet.messageId))
        acknowledge(Number(packet.messageId), reasonCodeOf(packet))
      }
      if (packet.cmd === 'suback') takeSuback(packet.granted[0])
      // It may leave the connection open, and reads nothing more from it.
      if (packet.cmd === 'disconnect') drop(`the broker disconnected: ${nameReason(packet)}`)
    })
    client.on('message', (topic, payload, packet) => {
      // No buffer, whatever its type says, where it is malformed or comes twice.
      const { correlationData, userProperties } = packet.properties ?? {}
      unlessEnded(() => { events.onMessage(topic, payload, Buffer.isBuffer(correlationData) ? correlationData : undefined, traceparentOf(userProperties?.traceparent)) })
    })
    // Also what does not close it by itself: after a malformed packet nothing more would be understood.
    client.on('error', error => { drop(messageOf(error)) })
    client.on('close', () => { drop('the connection was closed') })

    function createLink (connack: IConnackPacket): SubscribableLink {
      return {
        receiveMaximum: connack.properties?.receiveMaximum ?? DEFAULT_RECEIVE_MAXIMUM,
        maximumPacketSize: connack.properties?.maximumPacketSize,
        publish (publication, expiryS) {
          if (ended || client.stream.destroyed) return undefined
          const properties = isVersion5 ? propertiesOf(publication, expiryS) : undefined
          const packetId = channel.packetIdOf(() => {
            // What became of it is told by `events`.
            asyncClient.publish(publication.topic, publication.payload, { qos: 1, properties }).catch(() => {})
          })
          // A client that cannot write now must not live on.
          if (packetId === undefined) drop('the client did not write a publish')
          else markWritten(publication)
          return packetId
        },
        subscribe (filter) {
          // At QoS 0: a reply that a lost connection takes with it is lost at QoS 1 as well, as no session outlives it; and
          // QoS 1 has the broker hold back, and then throw away, what comes in faster than it is acknowledged.
          asyncClient.subscribe(filter, { qos: 0 }).catch(() => {}) // its end is taken from the events above
        },
        drop
      }
    }
  }

  function acknowledge (packetId: number, reasonCode: number): void {
    unlessEnded(() => { events.onPuback(packetId, reasonCode) })
  }

  /** MQTT.js would end the connection for it, but only after it has told us. */
  function takeSuback (reasonCode: unknown): void {
    if (typeof reasonCode !== 'number') drop('the broker sent a SUBACK without a reason code')
    else unlessEnded(() => { events.onSuback(reasonCode) })
  }

  function unlessEnded (tell: () => void): void {
    if (!ended) tell()
  }

  function drop (reason: string): void {
    if (ended) return
    ended = true
    client?.end(true)
    // Which does nothing where it has said DISCONNECT and waits for the broker to close.
    client?.stream.destroy()
    events.onEnd(reason)
  }

  return {
    drop,
    close () { commands?.close(() => { client?.end(false) }) }
  }
}

function toClientOptions (options: ConnectOptions, packetIds: PacketIds): IClientOptions {
  const { clientId, protocolVersion, username, password, ca, cert, key } = options
  return {
    clientId,
    ...(protocolVersion === '5' ? { protocolVersion: 5, properties: { maximumPacketSize: MAX_PACKET_BYTES } } : { protocolVersion: 4 }),
    clean: true,
    // The query of a WebSocket URL stays part of the URL; MQTT.js would also take its `clientId` for ours.
    query: {},
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    connectTimeout: CONNACK_TIMEOUT_MS,
    keepalive: KEEPALIVE_S,
    // A ping every KEEPALIVE_S however busy the link is: a timer less for each PUBACK.
    reschedulePings: false,
    messageIdProvider: packetIds,
    log: () => {},
    ...withoutUndefined({ username, password, ca, cert, key })
  }
}

/** Why a connection that the broker accepted is of no use to us. */
function findFault (connack: IConnackPacket): string | undefined {
  // Without PUBACKs nothing can be promised, and a QoS 1 publish would end the connection [MQTT-3.2.2-11].
  const { maximumQoS, receiveMaximum, maximumPacketSize } = connack.properties ?? {}
  if (maximumQoS === 0) return 'the broker allows no QoS above 0, so it acknowledges nothing'
  if (!isLimit(receiveMaximum)) return 'the broker states a Receive Maximum that MQTT does not allow'
  if (!isLimit(maximumPacketSize)) return 'the broker states a Maximum Packet Size that MQTT does not allow'
  return undefined
}

/** Whether a limit is left out, or given once and not 0, which is a Protocol Error (MQTT 5, 3.2.2.3.3 and 3.2.2.3.6). */
function isLimit (value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value > 0)
}

function reasonCodeOf (packet: Packet): number {
  return 'reasonCode' in packet ? Number(packet.reasonCode) || 0 : 0
}

function nameReason (packet: Packet): string {
  const code = reasonCodeOf(packet)
  const names: Readonly<Record<number, string>> = mqtt.ReasonCodes
  return names[code] || `reason code ${code}`
}

function messageOf (error: Error & { code?: unknown }): string {
  // Node reports a refused connection to several addresses as an AggregateError without a message.
  return String([error.message, error.code].find(Boolean))
}
