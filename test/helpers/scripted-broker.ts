import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import mqttPacket, { type IConnackPacket, type IConnectPacket, type IPublishPacket, type ISubscribePacket, type Packet } from 'mqtt-packet'
import type { Test } from 'tap'

/** One client's connection to the scripted broker. */
export interface ScriptedConnection {
  readonly socket: Socket
  /** Its CONNECT, once that has come. */
  connect: IConnectPacket | undefined
  /** PUBLISH packets received on it, in their order. */
  readonly published: IPublishPacket[]
  /** Topic Filters it asked for, in their order. */
  readonly subscribed: string[]
  send(packet: Packet): void
  /** Answers a subscription, with a reason code where one is given. */
  suback(messageId: number | undefined, reasonCode?: number): void
  /** Delivers a message to it, at QoS 0. */
  deliver(topic: string, payload: string | Buffer, correlationData?: Buffer): void
  /** Delivers the answer to one of its commands, as its MQTT 5 device would publish it. */
  reply(command: IPublishPacket | undefined, payload: string | Buffer): void
  /** Acknowledges a publish, with a reason code where one is given. */
  puback(messageId: number | undefined, reasonCode?: number): void
}

export interface ScriptedBrokerOptions {
  /** Properties of the CONNACK, e.g. `receiveMaximum`. */
  readonly properties?: IConnackPacket['properties']
  readonly reasonCode?: number
  /** Reason code for every subscription. Default: QoS 1 is granted. */
  readonly subackCode?: number
  /** What is done with a PUBLISH. Default: nothing, so it stays unacknowledged. */
  onPublish?: (packet: IPublishPacket, connection: ScriptedConnection) => void
  /** What is done with a SUBSCRIBE. Default: it is answered with `subackCode`. */
  onSubscribe?: (packet: ISubscribePacket, connection: ScriptedConnection) => void
  /** What is done with a CONNECT. Default: it is accepted. */
  onConnect?: (connection: ScriptedConnection) => void
  /** What is done with a DISCONNECT. Default: the connection is ended. */
  onDisconnect?: (connection: ScriptedConnection) => void
}

/** Every PUBLISH is acknowledged at once. */
export const acknowledging = { onPublish ({ messageId }, connection) { connection.puback(messageId) } } satisfies ScriptedBrokerOptions

/**
 * A broker that does as it is told: late, lost and negative PUBACKs, a small Receive Maximum.
 * Only for what no real broker can be made to do.
 */
export async function startScriptedBroker (t: Test, options: ScriptedBrokerOptions = {}) {
  const script = { ...options }
  const connections: ScriptedConnection[] = []
  const server = createServer(socket => {
    let protocolVersion = 5
    const parser = mqttPacket.parser({ protocolVersion })
    const connection: ScriptedConnection = {
      socket,
      connect: undefined,
      published: [],
      subscribed: [],
      send (packet) { if (socket.writable) socket.write(mqttPacket.generate(packet, { protocolVersion })) },
      suback (messageId, reasonCode = 0) { this.send({ cmd: 'suback', messageId: Number(messageId), granted: [reasonCode] }) },
      deliver (topic, payload, correlationData) {
        this.send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false, ...(correlationData !== undefined && { properties: { correlationData } }) })
      },
      reply (command, payload) {
        const { responseTopic = '', correlationData } = command?.properties ?? {}
        this.deliver(responseTopic, payload, correlationData)
      },
      puback (messageId, reasonCode = 0) {
        this.send({ cmd: 'puback', messageId, ...(protocolVersion === 5 && { reasonCode }) } as Packet)
      }
    }
    parser.on('packet', packet => {
      if (packet.cmd === 'connect') {
        protocolVersion = packet.protocolVersion ?? 5
        connection.connect = packet
        connections.push(connection)
        if (script.onConnect !== undefined) script.onConnect(connection)
        else accept(connection)
      } else if (packet.cmd === 'publish') {
        connection.published.push(packet)
        script.onPublish?.(packet, connection)
      } else if (packet.cmd === 'subscribe') {
        connection.subscribed.push(...packet.subscriptions.map(({ topic }) => topic))
        if (script.onSubscribe !== undefined) script.onSubscribe(packet, connection)
        else connection.suback(packet.messageId, script.subackCode ?? 1)
      } else if (packet.cmd === 'pingreq') {
        connection.send({ cmd: 'pingresp' })
      } else if (packet.cmd === 'disconnect') {
        if (script.onDisconnect !== undefined) script.onDisconnect(connection)
        else socket.end()
      }
    })
    socket.on('data', chunk => { parser.parse(chunk) })
    socket.on('error', () => {})
  })

  function accept (connection: ScriptedConnection): void {
    const { properties, reasonCode = 0 } = options
    connection.send({ cmd: 'connack', reasonCode, returnCode: reasonCode, sessionPresent: false, ...(properties !== undefined && { properties }) })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const { socket } of connections) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `mqtt://127.0.0.1:${port}`,
    connections,
    script,
    accept,
    /** Every PUBLISH of every connection. */
    get published () { return connections.flatMap(connection => connection.published) }
  }
}
