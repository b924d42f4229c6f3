import t, { type Test } from 'tap'
import { EXAMPLE, send, startConnectedApp } from '../helpers/app.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'
import { NOT_SENT_BODY } from './session.js'

/** The server on a clock that stands still, at a broker that takes one publish at a time and acknowledges when it is told. */
async function setUp (t: Test) {
  const { clock, advance } = createFakeClock(Date.now())
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 1 } })
  const app = await startConnectedApp(t, broker.url, {
    MQTT_QUEUE_TIMEOUT_MS: '60000', MQTT_PUBLISH_TIMEOUT_MS: '60000', SHUTDOWN_TIMEOUT_MS: '600000'
  }, { clock })
  return {
    advance,
    send: (ttl: number) => send(app, { ...EXAMPLE, ttl }),
    published: (n: number) => until(() => broker.published.length === n, `publish ${n}`),
    acknowledge () { broker.connections[0]?.puback(broker.published.at(-1)?.messageId) },
    /** Message Expiry Intervals that have reached the broker. */
    get intervals () { return broker.published.map(packet => packet.properties?.messageExpiryInterval) }
  }
}

t.test('gives the broker the seconds that a command has left after its wait for a slot, rounded up', async t => {
  const server = await setUp(t)
  const answers = [server.send(10), server.send(10), server.send(10)]
  await server.published(1)
  server.advance(3500)
  server.acknowledge()
  await server.published(2)
  server.advance(6499)
  server.acknowledge()
  await server.published(3)
  server.acknowledge()
  t.strictSame((await Promise.all(answers)).map(({ statusCode }) => statusCode), [200, 200, 200])
  t.strictSame(server.intervals, [10, 7, 1], 'at once, after 3.5 s, and a millisecond before its end')
})

t.test('answers 406 to a command that has nothing left after its wait for a slot, and does not publish it', async t => {
  const server = await setUp(t)
  const [first, late, last] = [server.send(30), server.send(10), server.send(30)]
  await server.published(1)
  server.advance(10_000)
  server.acknowledge()
  const { statusCode, body, headers } = await late
  t.equal(statusCode, 406)
  t.equal(body, NOT_SENT_BODY)
  t.equal(headers['proxy-status'], 'messenger; error=connection_write_timeout')
  t.equal(headers['retry-after'], undefined)
  await server.published(2)
  server.acknowledge()
  t.strictSame((await Promise.all([first, last])).map(({ statusCode }) => statusCode), [200, 200])
  t.strictSame(server.intervals, [30, 20])
})
