import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import mqttPacket from 'mqtt-packet'
import type { Scope } from '../../test/helpers/scope.js'

/** A command as it is on its way, by its topic and by its payload. */
export interface Message {
  readonly topic: string
  /** The command's own id; empty: the payload has none. */
  readonly id: string
  /** Its device, of which every command of the drill has one of its own; empty: the payload has none. */
  readonly imei: string
}

/** A command, and when it was seen. */
export interface Sighting extends Message {
  /** By `performance.now()`. */
  readonly atMs: number
}

/** One PUBLISH that a replica wrote to a broker node as a whole. */
export interface Publication extends Sighting {
  /** When its PUBACK passed, by `performance.now()`; undefined: it did not. */
  acknowledgedMs: number | undefined
}

/**
 * Sits between the replicas and one broker node, passes every byte on and writes down what passes.
 * In MQTT 3.1.1 there are no user properties: a command is told by its JSON payload.
 */
export async function recordNode (scope: Scope, brokerPort: number, publications: Publication[]) {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    const sent = mqttPacket.parser({ protocolVersion: 4 })
    const answered = mqttPacket.parser({ protocolVersion: 4 })
    const unacknowledged = new Map<number, Publication>()
    sent.on('packet', packet => {
      if (packet.cmd !== 'publish') return
      const publication = { ...identify(packet.topic, packet.payload), atMs: performance.now(), acknowledgedMs: undefined }
      publications.push(publication)
      unacknowledged.set(Number(packet.messageId), publication)
    })
    answered.on('packet', packet => {
      if (packet.cmd !== 'puback') return
      const publication = unacknowledged.get(Number(packet.messageId))
      if (publication !== undefined) publication.acknowledgedMs = performance.now()
      unacknowledged.delete(Number(packet.messageId))
    })
    near.on('data', chunk => {
      if (far.destroyed) return
      sent.parse(chunk)
      far.write(chunk)
    })
    far.on('data', chunk => {
      // First noted, then passed on: otherwise a 200 that follows from it could seem to be earlier.
      answered.parse(chunk)
      near.write(chunk)
    })
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return `mqtt://127.0.0.1:${port}`
}

/** Which command a message is. What cannot be read as one is still a message, which nobody should have sent. */
export function identify (topic: string, payload: Buffer | string): Message {
  const members = parse(String(payload))
  const text = (name: string) => {
    const value = members.get(name)
    return typeof value === 'string' ? value : ''
  }
  return { topic, id: text('id'), imei: text('imei') }
}

function parse (payload: string): Map<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload)
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  } catch {
    return new Map()
  }
}
