import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import mqttPacket from 'mqtt-packet'
import type { Scope } from '../../test/helpers/scope.js'

/** One PUBLISH that a replica wrote to a broker node as a whole. */
export interface Publication {
  /** The command's own id. */
  readonly id: string
  /** Its device, of which every command of the drill has one of its own. */
  readonly imei: string
  /** Whether the broker sent its PUBACK. */
  isAcknowledged: boolean
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
      const publication = { ...identify(packet.payload), isAcknowledged: false }
      publications.push(publication)
      unacknowledged.set(Number(packet.messageId), publication)
    })
    answered.on('packet', packet => {
      if (packet.cmd !== 'puback') return
      const publication = unacknowledged.get(Number(packet.messageId))
      if (publication !== undefined) publication.isAcknowledged = true
      unacknowledged.delete(Number(packet.messageId))
    })
    near.on('data', chunk => {
      if (far.destroyed) return
      sent.parse(chunk)
      far.write(chunk)
    })
    far.on('data', chunk => {
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

/** Which command a payload is. */
export function identify (payload: Buffer | string): { id: string, imei: string } {
  const { id, imei } = JSON.parse(String(payload)) as Record<string, unknown>
  return { id: String(id), imei: String(imei) }
}
