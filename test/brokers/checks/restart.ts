import type { Test } from 'tap'
import { IMEI, TOPIC } from '../../helpers/app.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'
import { NOT_SENT_BODY, startConnectedServer } from '../session.js'
import type { Broker } from '../subjects/broker.js'

/** The broker goes away under a messenger that works, and comes back. */
export async function checkRestart (t: Test, broker: Broker) {
  // With its clock standing still, the messenger is back only after the device is there to see what it brings.
  const { clock, advance } = createFakeClock(Date.now())
  const server = await startConnectedServer(t, broker, {}, { clock })
  t.equal((await server.send()).status, 200)
  await broker.stop()
  await until(() => !server.app.mqtt.isConnected, 'the loss of the connection')
  t.equal((await server.ready()).status, 503)
  for (let n = 0; n < 5; n += 1) {
    const { status, body, proxyStatus } = await server.send({ imei: IMEI, micro_op: `refused_${n}` })
    t.strictSame([status, body, proxyStatus], [406, NOT_SENT_BODY, 'messenger; error=destination_unavailable'])
  }

  await broker.start()
  const device = await subscribe(t, broker.url, TOPIC, broker.device)
  await until(() => {
    advance(2000) // the longest back-off
    return server.app.mqtt.isConnected
  }, 'the new connection')
  t.equal((await server.ready()).status, 200)
  t.equal((await server.send()).status, 200)
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])
  return { restart: 'yes' }
}
