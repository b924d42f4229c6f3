import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { encodePublish, type PublishProperties } from './encode-publish.js'
import type { PacketIds } from './packet-ids.js'
import { readPubacks } from './read-pubacks.js'
import { createWriteBatch } from './write-batch.js'

/** How a command is published. */
export interface PublishOptions {
  readonly qos: 1
  /** Undefined in MQTT 3.1.1, which has none. */
  readonly properties: PublishProperties | undefined
}

/** The part of MQTT.js's client that this uses. */
interface Client {
  readonly connected: boolean
  readonly stream: Duplex
}

/** What goes with a client: the identifiers that it hands out, and who is told of PUBACKs. */
export interface CommandChannelOptions {
  readonly packetIds: PacketIds
  /** A PUBACK arrived that accepts a publish in flight. */
  onAccepted(packetId: number, reasonCode: number): void
}

const HIGHEST_PACKET_ID = 65_535

export type CommandChannel = ReturnType<typeof createCommandChannel>

/**
 * Gives an MQTT.js client a `publish` that writes a command to its connection at once, or fails.
 *
 * MQTT.js's own is made for every kind of publish and to keep each until it can be delivered: it copies
 * the options, clones the packet for its store, looks for topic aliases and encodes piece by piece. None
 * of that is for commands, and it cost more than anything else of a request. All else stays MQTT.js's:
 * greeting, pings, subscriptions, refusals and the end.
 */
export function createCommandChannel (client: Client, { packetIds, onAccepted }: CommandChannelOptions) {
  // What is written in a turn goes out as one already. Where both ends wait for the acknowledgement of TCP before
  // they write more, as Nagle's algorithm has them, commands and PUBACKs stand still for 40 ms.
  if (client.stream instanceof Socket) client.stream.setNoDelay()
  const batch = createWriteBatch(client.stream)
  const isInFlight = new Uint8Array(HIGHEST_PACKET_ID + 1)
  let inFlight = 0
  let lastPacketId: number | undefined
  let onIdle: (() => void) | undefined

  readPubacks(client.stream, (packetId, reasonCode) => {
    if (isInFlight[packetId] === 0) return false
    settle(packetId)
    onAccepted(packetId, reasonCode)
    return true
  })

  /** As async-mqtt calls it. It calls back when the command is written; of its PUBACK others are told. */
  function publish (topic: string, payload: string, { properties }: PublishOptions, callback: (error?: Error) => void): void {
    const packetId = client.connected && onIdle === undefined ? packetIds.allocate() : null
    if (packetId === null) {
      callback(new Error('the client cannot write now'))
      return
    }
    encodePublish(batch, { packetId, topic, payload, properties })
    isInFlight[packetId] = 1
    inFlight += 1
    lastPacketId = packetId
    callback()
  }

  /** A PUBACK arrived: its Packet Identifier is free again. Does nothing where it is not of a command in flight. */
  function settle (packetId: number): void {
    if (isInFlight[packetId] !== 1) return
    isInFlight[packetId] = 0
    inFlight -= 1
    packetIds.deallocate(packetId)
    if (inFlight === 0) onIdle?.()
  }

  Object.assign(client, { publish })

  return {
    settle,
    /** Runs what publishes. @returns the Packet Identifier of what it wrote; undefined: it wrote nothing */
    packetIdOf (run: () => void): number | undefined {
      lastPacketId = undefined
      run()
      return lastPacketId
    },
    /** Writes nothing more, and calls back when nothing is in flight. */
    close (callback: () => void): void {
      onIdle = callback
      if (inFlight === 0) callback()
    }
  }
}
