import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { open, openScripted, PUBLICATION } from '../helpers/open-connection.js'
import { freePort } from '../helpers/ports.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

t.test('tells the limits that the broker announced', async t => {
  const { link } = await openScripted(t, { properties: { receiveMaximum: 20, maximumPacketSize: 1000 } })
  t.equal(link.receiveMaximum, 20)
  t.equal(link.maximumPacketSize, 1000)
})

t.test('takes the limits of MQTT where the broker announces none', async t => {
  const { link } = await openScripted(t)
  t.equal(link.receiveMaximum, 65_535)
  t.equal(link.maximumPacketSize, undefined)
})

t.test('writes a publish once, QoS 1, not retained, with expiry, content type and user properties', async t => {
  const { link, broker } = await openScripted(t)
  const packetId = link.publish(PUBLICATION, 30)
  await until(() => broker.published.length > 0, 'the PUBLISH')
  const [packet] = broker.published
  t.equal(packet?.messageId, packetId)
  t.equal(packet?.topic, 'devices/1/commands')
  t.equal(packet?.payload.toString(), 'push_down')
  t.equal(packet?.qos, 1)
  t.equal(packet?.retain, false)
  t.equal(packet?.dup, false)
  t.equal(packet?.properties?.messageExpiryInterval, 30)
  t.equal(packet?.properties?.contentType, 'text/plain')
  t.strictSame({ ...packet?.properties?.userProperties }, { id: 'id-1', request_id: 'request-1' })
})

t.test('has the system hold back no command until another is acknowledged', async t => {
  // A stall of 40 ms comes and goes with the mood of both ends: what is asked for is looked at instead.
  const asked: Array<boolean | undefined> = []
  const { setNoDelay } = Socket.prototype
  t.teardown(() => { Socket.prototype.setNoDelay = setNoDelay })
  Socket.prototype.setNoDelay = function (noDelay) {
    asked.push(noDelay)
    return setNoDelay.call(this, noDelay)
  }
  await openScripted(t)
  t.strictSame(asked, [undefined], 'once, by its default: on')
})

t.test('gives each publish of one tick its own expiry', async t => {
  const { link, broker } = await openScripted(t)
  for (const expiryS of [10, 20, 30]) link.publish(PUBLICATION, expiryS)
  await until(() => broker.published.length === 3, 'the publishes')
  t.strictSame(broker.published.map(packet => packet.properties?.messageExpiryInterval), [10, 20, 30])
})

t.test('writes more in one tick than one batch holds', async t => {
  const { link, broker } = await openScripted(t)
  const payload = 'x'.repeat(1000)
  for (let n = 0; n < 400; n += 1) link.publish({ ...PUBLICATION, payload: `${n} ${payload}` }, 30)
  await until(() => broker.published.length === 400, 'the publishes')
  t.strictSame(broker.published.map(packet => packet.payload.toString()), Array.from({ length: 400 }, (_, n) => `${n} ${payload}`))
})

t.test('tells where to answer, and to what, where that is waited for', async t => {
  const { link, broker } = await openScripted(t)
  const replyTo = { topic: 'replies/1', isWritten: false }
  link.publish({ ...PUBLICATION, replyTo }, 30)
  t.ok(replyTo.isWritten)
  await until(() => broker.published.length > 0, 'the PUBLISH')
  t.equal(broker.published[0]?.properties?.responseTopic, 'replies/1')
  t.equal(broker.published[0]?.properties?.correlationData?.toString(), 'id-1')
})

t.test('subscribes, and hands on the SUBACK and each message', async t => {
  const { link, broker, subacks, messages } = await openScripted(t, { subackCode: 0x87 })
  link.subscribe('replies/+')
  await until(() => subacks.length > 0, 'the SUBACK')
  t.strictSame([subacks, broker.connections[0]?.subscribed], [[0x87], ['replies/+']])
  broker.connections[0]?.deliver('replies/1', 'done', Buffer.from('id-1'))
  broker.connections[0]?.deliver('replies/2', 'done')
  await until(() => messages.length === 2, 'the messages')
  t.strictSame(messages, [['replies/1', 'done', 'id-1'], ['replies/2', 'done', undefined]])
})

t.test('hands on nothing after it was dropped', async t => {
  const { link, broker, subacks, messages, pubacks } = await openScripted(t)
  link.subscribe('replies/+')
  link.publish(PUBLICATION, 30)
  await until(() => broker.published.length === 1, 'the publish')
  broker.connections[0]?.deliver('replies/1', 'done')
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  link.drop('enough')
  await until(() => broker.connections[0]?.socket.destroyed === true, 'the end at the broker')
  t.strictSame([messages, pubacks, subacks.length <= 1], [[], [], true])
})

t.test('hands on no SUBACK that comes in the same segment as what had it dropped', async t => {
  let onPuback = (): void => {}
  const { link, broker, subacks, ends } = await openScripted(t, { onSubscribe () {} }, {}, { onPuback: () => { onPuback() } })
  onPuback = () => { link.drop('enough') }
  const packetId = link.publish(PUBLICATION, 30)
  link.subscribe('replies/+')
  const [connection] = broker.connections
  await until(() => connection?.subscribed.length === 1, 'the SUBSCRIBE')
  // One write: a PUBACK that refuses, which MQTT.js reads itself, and the SUBACK.
  connection?.socket.cork()
  connection?.puback(packetId, 0x87)
  connection?.suback(Number(packetId) + 1)
  connection?.socket.uncork()
  await until(() => connection?.socket.destroyed === true, 'the end at the broker')
  t.strictSame([subacks, ends], [[], ['enough']])
})

t.test('writes nothing after it was dropped', async t => {
  const { link, broker, ends } = await openScripted(t)
  link.drop('enough')
  t.equal(link.publish(PUBLICATION, 30), undefined)
  t.strictSame(ends, ['enough'])
  await until(() => broker.connections[0]?.socket.destroyed === true, 'the end at the broker')
  t.strictSame(broker.published, [])
})

t.test('ends once, however many things go wrong', async t => {
  const { link, broker, ends, connection } = await openScripted(t)
  broker.connections[0]?.socket.destroy()
  await until(() => ends.length > 0, 'the end')
  link.drop('again')
  connection.drop('and again')
  await sleep(20)
  t.strictSame(ends, ['the connection was closed'])
})

t.test('ends with the reason of the broker\'s DISCONNECT', async t => {
  const { broker, ends } = await openScripted(t)
  broker.connections[0]?.send({ cmd: 'disconnect', reasonCode: 0x8e })
  broker.connections[0]?.socket.end()
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['the broker disconnected: Session taken over'])
})

t.test('names a reason code that MQTT does not define by its number', async t => {
  const { broker, ends } = await openScripted(t)
  broker.connections[0]?.send({ cmd: 'disconnect', reasonCode: 0 })
  broker.connections[0]?.socket.end()
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['the broker disconnected: reason code 0'])
})

t.test('ends at a packet it cannot understand', async t => {
  const { broker, ends } = await openScripted(t)
  broker.connections[0]?.socket.write(Buffer.from([0x40, 0x04, 0x00, 0x01, 0x9f, 0x00]))
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['Invalid puback reason code'])
})

t.test('ends with the reason of a refused CONNECT', async t => {
  const broker = await startScriptedBroker(t, { reasonCode: 0x86 })
  const { ends, links } = open(t, broker.url)
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['Connection refused: Bad User Name or Password'])
  t.strictSame(links, [])
})

t.test('does not use a broker that allows QoS 0 only', async t => {
  const broker = await startScriptedBroker(t, { properties: { maximumQoS: 0 } })
  const { ends, links } = open(t, broker.url)
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['the broker allows no QoS above 0, so it acknowledges nothing'])
  t.strictSame(links, [])
})

t.test('ends where nobody listens', async t => {
  const port = await freePort()
  const { ends } = open(t, `mqtt://127.0.0.1:${port}`)
  t.strictSame(ends, [], 'not before the call has returned')
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, [`connect ECONNREFUSED 127.0.0.1:${port}`])
})

t.test('ends where MQTT.js throws', async t => {
  const { ends } = open(t, 'mqtts://127.0.0.1:1', { cert: 'no certificate', key: 'no key' })
  t.strictSame(ends, [], 'not before the call has returned')
  await until(() => ends.length > 0, 'the end')
  t.match(ends[0], /PEM|start line/i)
})

t.test('ends where the broker stays silent after the CONNECT', async t => {
  const broker = await startScriptedBroker(t, { onConnect () {} })
  const { ends } = open(t, broker.url)
  await until(() => ends.length > 0, 'the end')
  t.strictSame(ends, ['connack timeout'])
})

t.test('writes nothing, and ends, once it is being closed', async t => {
  const { link, broker, connection, ends } = await openScripted(t)
  link.publish(PUBLICATION, 30)
  await until(() => broker.published.length === 1, 'the publish, which keeps it open')
  connection.close()
  t.equal(link.publish(PUBLICATION, 30), undefined)
  t.strictSame(ends, ['the client did not write a publish'])
  t.equal(broker.published.length, 1)
})

t.test('says DISCONNECT when it is closed', async t => {
  let disconnected = false
  const { connection, ends } = await openScripted(t, {
    onDisconnect ({ socket }) {
      disconnected = true
      socket.end()
    }
  })
  connection.close()
  await until(() => ends.length > 0, 'the end')
  t.ok(disconnected)
})

t.test('names the error of a host with several addresses', async t => {
  const { ends } = open(t, `mqtt://localhost:${await freePort()}`)
  await until(() => ends.length > 0, 'the end')
  t.match(ends[0], /ECONNREFUSED/)
})
