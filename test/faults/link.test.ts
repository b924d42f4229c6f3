import { once } from 'node:events'
import { connect } from 'node:net'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'
import { startLink, type LinkFault } from './link.js'
import { createRecorder } from './recorder.js'
import { createTimeline } from './timeline.js'

/** A link to a broker that acknowledges everything. */
async function start (t: Test) {
  const broker = await startScriptedBroker(t, { onPublish (packet, connection) { connection.puback(packet.messageId) } })
  const recorder = createRecorder()
  const timeline = createTimeline(0)
  const link = await startLink(t, { brokerPort: Number(new URL(broker.url).port), recorder, timeline })

  /** A client that has been accepted, and what it got. */
  async function join () {
    const socket = connect(Number(new URL(link.url).port), '127.0.0.1')
    t.teardown(() => { socket.destroy() })
    const received: string[] = []
    const parser = mqttPacket.parser({ protocolVersion: 5 })
    parser.on('packet', ({ cmd }) => { received.push(cmd) })
    socket.on('data', chunk => { parser.parse(chunk) })
    socket.on('error', () => {})
    socket.on('close', () => { received.push('END') })
    const send = (packet: Packet) => { socket.write(mqttPacket.generate(packet, { protocolVersion: 5 })) }
    const client = {
      socket,
      received,
      publish (id: string) {
        const userProperties = { id, request_id: id }
        send({ cmd: 'publish', topic: id, payload: 'push_down', qos: 1, dup: false, retain: false, messageId: 1, properties: { userProperties } })
      },
      gets: (...packets: string[]) => until(() => String(received) === String(packets), () => `${String(packets)} instead of ${String(received)}`)
    }
    send({ cmd: 'connect', clientId: '', clean: true, protocolId: 'MQTT', protocolVersion: 5, keepalive: 0 })
    return client
  }

  async function joined () {
    const client = await join()
    await client.gets('connack')
    return client
  }

  return { broker, recorder, timeline, link, join, joined, topics: () => broker.published.map(({ topic }) => topic) }
}

const fault = (kind: LinkFault['kind'], rest: Partial<LinkFault> = {}): LinkFault => ({ kind, end: 'heal', delayMs: 0, bytesPerMs: 1, ...rest })

t.test('passes everything on while nothing is wrong, and records it', async t => {
  const { recorder, timeline, joined, topics } = await start(t)
  const client = await joined()
  t.ok(timeline.isHealthy)
  client.publish('a')
  await client.gets('connack', 'puback')
  t.strictSame(topics(), ['a'])
  t.strictSame(recorder.publications.map(({ id, reasonCode }) => ({ id, reasonCode })), [{ id: 'a', reasonCode: 0 }])
  client.socket.end()
  await until(() => !timeline.isHealthy, 'the end of the connection')
})

t.test('cuts every connection, and new ones until it is over', async t => {
  const { broker, timeline, link, join, joined } = await start(t)
  const client = await joined()
  link.begin(fault('cut'))
  await client.gets('connack', 'END')
  await until(() => broker.connections[0]?.socket.destroyed === true, 'the end at the broker')
  const refused = await join()
  await refused.gets('END')
  t.notOk(timeline.isHealthy)
  link.finish(fault('cut'))
  await joined()
  t.ok(timeline.isHealthy)
})

t.test('holds back what goes to the broker, and passes it in the end', async t => {
  const { broker, recorder, link, joined, topics } = await start(t)
  const client = await joined()
  link.begin(fault('stall-up'))
  client.publish('a')
  broker.connections[0]?.send({ cmd: 'pingresp' })
  await client.gets('connack', 'pingresp')
  t.strictSame([topics(), recorder.publications], [[], []])
  link.finish(fault('stall-up'))
  await client.gets('connack', 'pingresp', 'puback')
  t.strictSame(topics(), ['a'])
})

t.test('holds back what comes from the broker, on new connections too, and passes it in the end', async t => {
  const { broker, recorder, timeline, link, join, joined } = await start(t)
  const client = await joined()
  link.begin(fault('stall-down'))
  client.publish('a')
  const late = await join()
  await until(() => recorder.publications[0]?.reasonCode === 0 && broker.connections.length === 2, 'the PUBACK and the second connection')
  t.strictSame([client.received, late.received], [['connack'], []])
  t.notOk(timeline.isHealthy)
  link.finish(fault('stall-down'))
  await client.gets('connack', 'puback')
  await late.gets('connack')
})

t.test('loses what comes from the broker, and then the connection', async t => {
  const { recorder, link, joined } = await start(t)
  const client = await joined()
  link.begin(fault('swallow'))
  client.publish('a')
  await until(() => recorder.publications[0]?.reasonCode === 0, 'the PUBACK')
  t.strictSame(client.received, ['connack'])
  link.finish(fault('swallow'))
  await client.gets('connack', 'END')
})

t.test('leaves a connection alone on which there was nothing to lose', async t => {
  const { link, joined } = await start(t)
  const client = await joined()
  link.begin(fault('swallow'))
  link.finish(fault('swallow'))
  client.publish('a')
  await client.gets('connack', 'puback')
})

t.test('is late both ways', async t => {
  const { link, joined } = await start(t)
  const client = await joined()
  link.begin(fault('delay', { delayMs: 30 }))
  const startMs = performance.now()
  client.publish('a')
  await client.gets('connack', 'puback')
  t.ok(performance.now() - startMs >= 60)
})

t.test('keeps its latency through a fault', async t => {
  const { timeline, link, joined } = await start(t)
  link.setLatency(30)
  link.begin(fault('stall-up'))
  link.finish(fault('stall-up'))
  const startMs = performance.now()
  await joined()
  t.ok(performance.now() - startMs >= 60)
  t.ok(timeline.isHealthy, 'latency is no fault')
})

t.test('drips: a PUBLISH reaches the broker with its last byte', async t => {
  const { recorder, link, joined, topics } = await start(t)
  const client = await joined()
  link.begin(fault('drip'))
  client.publish('a')
  await client.gets('connack', 'puback')
  t.strictSame([topics(), recorder.publications.length], [['a'], 1])
})

t.test('cuts a PUBLISH that drips: neither broker nor recorder has it', async t => {
  const { broker, recorder, link, joined, topics } = await start(t)
  const client = await joined()
  const { bytesRead = 0 } = broker.connections[0]?.socket ?? {}
  link.begin(fault('drip'))
  client.publish('a')
  await until(() => Number(broker.connections[0]?.socket.bytesRead) > bytesRead + 10, 'some bytes of the PUBLISH')
  link.finish(fault('drip', { end: 'cut' }))
  await client.gets('connack', 'END')
  await until(() => broker.connections[0]?.socket.destroyed === true, 'the end at the broker')
  t.strictSame([topics(), recorder.publications], [[], []])
})

t.test('delivers what it held back after the client was cut, where it is told to', async t => {
  const { broker, recorder, link, joined, topics } = await start(t)
  const client = await joined()
  link.begin(fault('stall-up'))
  client.publish('a')
  broker.connections[0]?.send({ cmd: 'pingresp' })
  await client.gets('connack', 'pingresp')
  link.finish(fault('stall-up', { end: 'cut-late' }))
  await client.gets('connack', 'pingresp', 'END')
  await until(() => topics().length === 1, 'the PUBLISH')
  t.strictSame(recorder.publications.map(({ id }) => id), ['a'])
})

t.test('delivers what a client had sent before it gave up', async t => {
  const { broker, link, joined, topics } = await start(t)
  const client = await joined()
  link.begin(fault('stall-up'))
  client.publish('a')
  const closed = once(client.socket, 'close')
  client.socket.end()
  await closed
  t.strictSame([topics(), broker.connections[0]?.socket.destroyed], [[], false])
  link.finish(fault('stall-up'))
  await until(() => topics().length === 1, 'the PUBLISH')
})

t.test('leaves every connection half-open, and serves new ones', async t => {
  const { broker, timeline, link, joined, topics } = await start(t)
  const client = await joined()
  link.freeze()
  t.notOk(timeline.isHealthy)
  client.publish('lost')
  broker.connections[0]?.send({ cmd: 'pingresp' })
  const next = await joined()
  next.publish('a')
  await next.gets('connack', 'puback')
  t.ok(timeline.isHealthy)
  t.strictSame([topics(), client.received, client.socket.destroyed], [['a'], ['connack'], false])
  link.sever()
  await next.gets('connack', 'puback', 'END')
  t.strictSame(client.received, ['connack'], 'it stays half-open')
})
