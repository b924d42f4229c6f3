import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import mqttPacket from 'mqtt-packet'
import type { Test } from 'tap'

/**
 * Sits between server and broker, passes every byte on and parses both ways:
 * how many QoS 1 publishes are unacknowledged at once, as the broker sees it.
 */
export async function startCountingTap (t: Test, brokerUrl: string) {
  const broker = new URL(brokerUrl)
  let unacknowledged = 0
  let most = 0
  const server = createServer(near => {
    const far = connect(Number(broker.port), broker.hostname)
    const sent = mqttPacket.parser({ protocolVersion: 5 })
    const answered = mqttPacket.parser({ protocolVersion: 5 })
    sent.on('packet', packet => {
      if (packet.cmd !== 'publish') return
      unacknowledged += 1
      most = Math.max(most, unacknowledged)
    })
    answered.on('packet', packet => { if (packet.cmd === 'puback') unacknowledged -= 1 })
    near.on('data', chunk => {
      sent.parse(chunk)
      far.write(chunk)
    })
    far.on('data', chunk => {
      answered.parse(chunk)
      near.write(chunk)
    })
    near.on('close', () => { far.destroy() })
    far.on('close', () => { near.destroy() })
    near.on('error', () => {})
    far.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const { port } = server.address() as AddressInfo
  return {
    url: `mqtt://127.0.0.1:${port}`,
    /** Most publishes that were unacknowledged at once. */
    get most () { return most }
  }
}
