import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/** A running demo broker. */
export interface EmbeddedBroker {
  /** Where it listens, e.g. `mqtt://127.0.0.1:1883`. */
  readonly url: string
  /** Closes every connection and stops listening. */
  stop(): Promise<void>
}

const LOOPBACK = '127.0.0.1'

/**
 * Starts an MQTT broker inside this process, for trying the messenger out. It keeps
 * nothing, asks nobody for a password and therefore listens on 127.0.0.1 only.
 * @param port where it listens if that is free; otherwise the system chooses. Default 1883.
 * @throws {Error} naming the package to install, where Aedes is absent
 */
export async function startEmbeddedBroker (port = 1883): Promise<EmbeddedBroker> {
  const { Aedes } = await import('aedes').catch((cause: unknown) => {
    throw new Error('the embedded broker needs the package aedes: npm install aedes@2.0.0-beta.1, or set MQTT_URL', { cause })
  })
  const broker = await Aedes.createBroker()
  // The broker knows of those only that have said CONNECT.
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.once('close', () => { sockets.delete(socket) })
    broker.handle(socket)
  })
  await listen(server, port).catch(() => listen(server, 0))
  const { port: actualPort } = server.address() as AddressInfo
  return {
    url: `mqtt://${LOOPBACK}:${actualPort}`,
    async stop () {
      const closed = once(server, 'close')
      server.close()
      await new Promise<void>(resolve => { broker.close(resolve) })
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}

async function listen (server: Server, port: number): Promise<void> {
  server.listen(port, LOOPBACK)
  await once(server, 'listening')
}
