import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { open, openScripted, PUBLICATION } from '../helpers/open-connection.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

/** CONNACK of MQTT 5 that accepts, with these bytes of properties. */
const connack = (...properties: number[]) => Buffer.from([0x20, 3 + properties.length, 0, 0, properties.length, ...properties])

/** A packet that ends a connection: a PUBACK with a reason code that there is not. */
const MALFORMED = Buffer.from([0x40, 0x04, 0x00, 0x01, 0x9f, 0x00])

/** Sockets of this process, at either end. */
const countSockets = () => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length

t.test('does not use a connection on which the broker has said DISCONNECT', async t => {
  const { link, broker, ends } = await openScripted(t)
  broker.connections[0]?.send({ cmd: 'disconnect', reasonCode: 0x8b })
  await until(() => ends.length > 0, 'the end, though the broker keeps the connection open')
  t.strictSame(ends, ['the broker disconnected: Server shutting down'])
  t.equal(link.publish(PUBLICATION, 30), undefined)
  await until(() => broker.connections[0]?.socket.destroyed === true, 'the end at the broker')
  t.strictSame(broker.published, [])
})

t.test('cuts a connection that the broker does not close after our DISCONNECT', async t => {
  const { broker, connection, ends } = await openScripted(t)
  broker.connections[0]?.socket.pause()
  const sockets = countSockets()
  connection.close()
  await sleep(20)
  t.equal(countSockets(), sockets, 'it waits for the broker')
  connection.drop('the broker did not close in time')
  t.strictSame(ends, ['the broker did not close in time'])
  await until(() => countSockets() < sockets, 'the end of our socket')
})

t.test('tells of nothing after its end, where the CONNACK and what ends it come as one', async t => {
  const broker = await startScriptedBroker(t, { onConnect ({ socket }) { socket.write(Buffer.concat([connack(), MALFORMED])) } })
  const told: string[] = []
  open(t, broker.url, {}, { onOpen () { told.push('open') }, onEnd (reason) { told.push(reason) } })
  await until(() => told.includes('Invalid puback reason code'), 'the end')
  await sleep(20)
  t.equal(told.at(-1), 'Invalid puback reason code')
})

t.test('takes malformed Correlation Data for none', async t => {
  const seen: unknown[] = []
  const { broker } = await openScripted(t, {}, {}, { onMessage (_topic, payload, correlationData) { seen.push([payload.toString(), correlationData]) } })
  // Of five bytes, it says; there are none.
  broker.connections[0]?.socket.write(Buffer.from([0x30, 0x08, 0x00, 0x01, 0x72, 0x03, 0x09, 0x00, 0x05, 0x78]))
  await until(() => seen.length > 0, 'the message')
  t.strictSame(seen, [['x', undefined]])
})

for (const [limit, ...properties] of [
  ['Receive Maximum', 0x21, 0, 0], ['Receive Maximum', 0x21, 0, 10, 0x21, 0, 10], ['Maximum Packet Size', 0x27, 0, 0, 0, 0]
] as const) {
  t.test(`does not use a broker whose ${limit} is 0 or given twice: ${Buffer.from(properties).toString('hex')}`, async t => {
    const broker = await startScriptedBroker(t, { onConnect ({ socket }) { socket.write(connack(...properties)) } })
    const { ends, links } = open(t, broker.url)
    await until(() => ends.length > 0 || links.length > 0, 'the end')
    t.strictSame(ends, [`the broker states a ${limit} that MQTT does not allow`])
    t.strictSame(links, [])
  })
}

t.test('takes no Packet Identifier for a PUBACK that has none', async t => {
  const { link, broker, pubacks, ends } = await openScripted(t)
  t.equal(link.publish(PUBLICATION, 30), 1)
  await until(() => broker.published.length === 1, 'the PUBLISH')
  // The two bytes after it would be the identifier of the publish in flight.
  broker.connections[0]?.socket.write(Buffer.from([0x40, 0x00, 0x00, 0x01]))
  await until(() => pubacks.length > 0 || ends.length > 0, 'the end')
  t.strictSame(pubacks, [])
  t.strictSame(ends, ['the broker sent a PUBACK without a Packet Identifier'])
})

t.test('does not take a SUBACK without a reason code for a subscription', async t => {
  const codes: number[] = []
  const { link, broker, ends } = await openScripted(t, {
    onSubscribe ({ messageId = 0 }, { socket }) { socket.write(Buffer.from([0x90, 0x03, messageId >> 8, messageId & 0xFF, 0x00])) }
  }, {}, { onSuback (reasonCode) { codes.push(reasonCode) } })
  link.subscribe('replies/+')
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['the broker sent a SUBACK without a reason code'])
  t.strictSame(codes, [])
  t.equal(broker.connections.length, 1)
})
