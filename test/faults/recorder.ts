import mqttPacket, { type IPublishPacket } from 'mqtt-packet'

/** One PUBLISH packet that went to the broker as a whole. */
export interface Publication {
  /** The command's own id; empty where the packet has none. */
  readonly id: string
  /** `X-Request-Id` of the exchange that asked for it; empty where the packet has none. */
  readonly requestId: string
  readonly topic: string
  /** Which connection it went over, counted from 1. */
  readonly connection: number
  /** Monotonic milliseconds at which its last byte was passed on. */
  readonly atMs: number
  /** Reason code of the PUBACK that the broker sent; undefined where it sent none. */
  reasonCode: number | undefined
  /** Monotonic milliseconds at which the link passed that PUBACK on to the server; undefined where it never did. */
  heardAtMs: number | undefined
}

export type Recorder = ReturnType<typeof createRecorder>

/**
 * Parses what passes between the faults and the broker: what went in, however the link
 * delayed it, and what the broker said, whether or not that ever reached the server.
 */
export function createRecorder () {
  const publications: Publication[] = []
  let connections = 0

  /**
   * Starts to listen to one connection.
   * @param onAccepted told when the broker accepts it (CONNACK 0)
   */
  function listen (onAccepted: () => void) {
    connections += 1
    const connection = connections
    // By Packet Identifier, which is used again once its PUBACK was heard.
    const unacknowledged = new Map<number, Publication>()
    const acknowledged = new Map<number, Publication>()
    const sent = mqttPacket.parser({ protocolVersion: 5 })
    const answered = mqttPacket.parser({ protocolVersion: 5 })
    const heard = mqttPacket.parser({ protocolVersion: 5 })

    sent.on('packet', packet => {
      if (packet.cmd !== 'publish') return
      const publication = { ...identify(packet), connection, atMs: performance.now(), reasonCode: undefined, heardAtMs: undefined }
      publications.push(publication)
      unacknowledged.set(Number(packet.messageId), publication)
    })
    answered.on('packet', packet => {
      if (packet.cmd === 'connack' && packet.reasonCode === 0) onAccepted()
      if (packet.cmd !== 'puback') return
      const packetId = Number(packet.messageId)
      const publication = unacknowledged.get(packetId)
      if (publication === undefined) return
      unacknowledged.delete(packetId)
      acknowledged.set(packetId, publication)
      // A PUBACK without a reason code is a success (MQTT 5, 3.4.2.1).
      publication.reasonCode = packet.reasonCode ?? 0
    })
    heard.on('packet', packet => {
      if (packet.cmd !== 'puback') return
      const publication = acknowledged.get(Number(packet.messageId))
      acknowledged.delete(Number(packet.messageId))
      if (publication !== undefined) publication.heardAtMs = performance.now()
    })

    return {
      connection,
      /** Bytes that are written to the broker. */
      toBroker (chunk: Buffer): void { sent.parse(chunk) },
      /** Bytes that came from the broker. */
      fromBroker (chunk: Buffer): void { answered.parse(chunk) },
      /** The same bytes, or what is left of them, when they are written to the server. */
      toServer (chunk: Buffer): void { heard.parse(chunk) }
    }
  }

  return { listen, publications }
}

/** What a PUBLISH says about itself: the user properties that join it with its answer. */
export function identify (packet: Pick<IPublishPacket, 'topic' | 'properties'>): Pick<Publication, 'id' | 'requestId' | 'topic'> {
  const { id = '', request_id: requestId = '' } = packet.properties?.userProperties ?? {}
  return { id: String(id), requestId: String(requestId), topic: packet.topic }
}
