import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a broker that takes its time. */
export interface FarLink {
  /** Of this end. */
  readonly url: string
  close(): void
}

/**
 * Opens a loopback port that leads to a broker which answers so much later: half of it on the way there, half on the way back.
 * However much is under way, nothing waits for what was sent before it.
 * @param roundTripMs milliseconds that are added to each round trip
 */
export async function openFarLink (brokerUrl: string, roundTripMs: number): Promise<FarLink> {
  const { hostname, port } = new URL(brokerUrl)
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, near => {
    const far = connect({ port: Number(port), host: hostname, noDelay: true })
    for (const [from, to] of [[near, far], [far, near]] as const) {
      open.add(from)
      // Timers of one length end in the order in which they began.
      from.on('data', chunk => { setTimeout(() => { to.write(chunk) }, roundTripMs / 2) })
      from.on('error', () => {})
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close () {
      server.close()
      for (const socket of open) socket.destroy()
    }
  }
}
