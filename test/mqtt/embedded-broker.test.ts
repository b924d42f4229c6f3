import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { startEmbeddedBroker } from '../../src/mqtt/embedded-broker.js'
import { EXAMPLE, IMEI, send, startConnectedApp, TOPIC } from '../helpers/app.js'
import { freePort } from '../helpers/ports.js'
import { subscribe } from '../helpers/subscriber.js'
import { until } from '../helpers/until.js'

t.test('passes commands on to devices of MQTT 5 and 3.1.1', async t => {
  const broker = await startEmbeddedBroker(0)
  t.teardown(() => broker.stop())
  const app = await startConnectedApp(t, broker.url)
  const modern = await subscribe(t, broker.url, TOPIC)
  const old = await subscribe(t, broker.url, TOPIC, { protocolVersion: 4 })
  t.equal((await send(app)).statusCode, 200)
  await Promise.all([modern.count(1), old.count(1)])
  t.strictSame([modern.payloads, old.payloads], [['push_down'], ['push_down']])
})

t.test('does not deliver a command whose ttl is over to a device that comes back', async t => {
  const broker = await startEmbeddedBroker(0)
  t.teardown(() => broker.stop())
  const app = await startConnectedApp(t, broker.url)
  const session = { clientId: 'gate-1', clean: false, properties: { sessionExpiryInterval: 600 } }
  const before = await subscribe(t, broker.url, TOPIC, session)
  await before.client.endAsync()
  t.equal((await send(app, { ...EXAMPLE, ttl: 1 })).statusCode, 200)
  t.equal((await send(app, { imei: IMEI, micro_op: 'push_up', ttl: 60 })).statusCode, 200)
  const sentMs = performance.now()
  await until(() => performance.now() - sentMs > 1100, 'the end of the ttl')
  const after = await subscribe(t, broker.url, TOPIC, session)
  await after.count(1)
  t.strictSame(after.payloads, ['push_up'])
})

t.test('listens on the port it is given, or on a free one where that is taken', async t => {
  const port = await freePort()
  const first = await startEmbeddedBroker(port)
  t.equal(first.url, `mqtt://127.0.0.1:${port}`)
  const second = await startEmbeddedBroker(port)
  t.not(second.url, first.url)
  await Promise.all([first.stop(), second.stop()])
  const again = createServer().listen(port, '127.0.0.1')
  await once(again, 'listening')
  again.close()
})

t.test('says what to install where Aedes is absent', async t => {
  const { startEmbeddedBroker } = await t.mockImport<typeof import('../../src/mqtt/embedded-broker.js')>(import.meta.resolve('../../src/mqtt/embedded-broker.js'), {
    aedes: { get Aedes (): never { throw new Error('Cannot find package') } }
  })
  await t.rejects(startEmbeddedBroker(0), { message: 'the embedded broker needs the package aedes: npm install aedes@2.0.0-beta.1, or set MQTT_URL' })
})

t.test('stops at once, also where somebody has connected and says nothing', async t => {
  const broker = await startEmbeddedBroker(0)
  const socket = connect(Number(new URL(broker.url).port), '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  let hasStopped = false
  broker.stop().then(() => { hasStopped = true }, t.fail)
  await until(() => hasStopped, 'the stop', 5_000)
})
