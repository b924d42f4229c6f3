import type { Writable } from 'node:stream'
import { encodePublish, type PublishProperties } from './encode-publish.js'
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
  readonly disconnecting: boolean
  readonly stream: Writable
  readonly messageIdProvider: { allocate(): number | null }
  /** Who waits for which acknowledgement, by Packet Identifier. */
  readonly outgoing: Record<number, { volatile: boolean, cmd: 'publish' | 'pubrel' | 'subscribe' | 'unsubscribe', cb: (error: Error) => void }>
}

/** What was written last. */
export interface Written {
  /** PUBLISH packets so far. */
  readonly packets: number
  /** Packet Identifier of the last one. */
  readonly packetId: number
}

/**
 * Gives an MQTT.js client a `publish` that writes a command to the connection at once, or fails.
 *
 * MQTT.js's own is made for every kind of publish and for keeping each until it can be delivered:
 * it copies the options, clones the packet for its store, looks for topic aliases and encodes piece by
 * piece. None of that is for commands, and it cost more than anything else of a request. All else of
 * the client stays as it is: it hands out the Packet Identifiers, keeps who waits for which PUBACK,
 * and tells that one when it comes or the connection ends.
 */
export function replacePublish (client: Client): Written {
  const batch = createWriteBatch(client.stream)
  const written = { packets: 0, packetId: 0 }

  function publish (topic: string, payload: string, { properties }: PublishOptions, callback: (error: Error) => void): Client {
    const packetId = client.connected && !client.disconnecting ? client.messageIdProvider.allocate() : null
    if (packetId === null) {
      callback(new Error('the client cannot write now'))
      return client
    }
    client.outgoing[packetId] = { volatile: false, cmd: 'publish', cb: callback }
    encodePublish(batch, { packetId, topic, payload, properties })
    written.packets += 1
    written.packetId = packetId
    return client
  }

  // As async-mqtt calls it.
  Object.assign(client, { publish })
  return written
}
