import t from 'tap'
import { EXAMPLE, IMEI, send } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { startMeasuredApp } from '../helpers/measured-app.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { subscribe } from '../helpers/subscriber.js'
import { until } from '../helpers/until.js'

const NOTHING = {
  'outcome=accepted,reason=': 0,
  'outcome=not_sent,reason=not_connected': 0,
  'outcome=not_sent,reason=no_slot': 0,
  'outcome=not_sent,reason=expired': 0,
  'outcome=not_sent,reason=too_large': 0,
  'outcome=not_sent,reason=no_reply_topic': 0,
  'outcome=not_sent,reason=refused': 0,
  'outcome=unknown,reason=timed_out': 0,
  'outcome=unknown,reason=connection_lost': 0
}

t.test('has every series of commands at 0 before the first command', async t => {
  const broker = await startScriptedBroker(t)
  const { scrape } = await startMeasuredApp(t, broker.url)
  const scraped = await scrape()
  t.strictSame(scraped.seriesOf('messenger_commands_total'), NOTHING)
  t.strictSame(scraped.seriesOf('messenger_publish_duration_seconds_count'), { 'outcome=accepted': 0, 'outcome=not_sent': 0, 'outcome=unknown': 0 })
  t.equal(scraped.value('messenger_late_pubacks_total'), 0)
})

t.test('counts each command that a broker accepted, and no request that was refused before or repeats a key', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const { app, scrape } = await startMeasuredApp(t, broker.url)
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 200)
  t.equal((await send(app)).statusCode, 200)
  for (const replayed of [undefined, 'true']) {
    const response = await send(app, EXAMPLE, { 'idempotency-key': 'one' })
    t.strictSame([response.statusCode, response.headers['idempotency-replayed']], [200, replayed])
  }
  t.equal((await send(app, {})).statusCode, 400)
  t.equal((await send(app, EXAMPLE, { authorization: 'Bearer none' })).statusCode, 401)
  const scraped = await scrape()
  t.strictSame(scraped.seriesOf('messenger_commands_total'), { ...NOTHING, 'outcome=accepted,reason=': 3 })
  t.strictSame(scraped.seriesOf('messenger_publish_duration_seconds_count'), { 'outcome=accepted': 3, 'outcome=not_sent': 0, 'outcome=unknown': 0 })
  await device.count(3)
  t.equal(device.received.length, 3)
})

t.test('counts a command as not sent where the access control of a broker refuses it', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t, {
    config: ['allow_anonymous true', 'acl_file {dir}/acl'], files: { acl: 'topic write devices/allowed/commands\n' }
  })
  const { app, scrape } = await startMeasuredApp(t, broker.url)
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 406)
  t.equal((await send(app, { ...EXAMPLE, imei: 'allowed' })).statusCode, 200)
  t.strictSame((await scrape()).commands, { 'not_sent/refused': 1, 'accepted/': 1 })
})

t.test('counts a command as not sent, by its reason, without a connection, without a slot and where it is too large', async t => {
  const broker = await startScriptedBroker(t, {
    properties: { receiveMaximum: 1, maximumPacketSize: 200 }, onConnect () { /* not yet */ }
  })
  const { clock, advance } = createFakeClock()
  const { app, scrape, shows } = await startMeasuredApp(t, broker.url, { MQTT_MAX_QUEUE: '1' }, { clock })
  await until(() => broker.connections.length === 1, 'the CONNECT')
  t.equal((await send(app)).statusCode, 406)
  t.strictSame((await scrape()).commands, { 'not_sent/not_connected': 1 })

  acceptLast(broker)
  await app.mqtt.whenConnected()
  t.equal((await send(app, { ...EXAMPLE, micro_op: 'x'.repeat(64) })).statusCode, 406)

  const written = send(app)
  await until(() => broker.published.length === 1, 'the publish')
  const waiting = send(app)
  await shows('messenger_publishes_waiting', 1)
  t.equal((await send(app)).statusCode, 406, 'the queue is full')
  advance(1_000)
  t.equal((await waiting).statusCode, 406, 'no slot came free in time')
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await written).statusCode, 200)
  t.strictSame((await scrape()).commands, { 'not_sent/not_connected': 1, 'not_sent/too_large': 1, 'not_sent/no_slot': 2, 'accepted/': 1 })
  t.equal(broker.published.length, 1)
})

t.test('counts a command as not sent where its ttl ran out in the queue', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 1 } })
  const { clock, advance } = createFakeClock()
  const { app, scrape, shows } = await startMeasuredApp(t, broker.url, { MQTT_QUEUE_TIMEOUT_MS: '4000' }, { clock })
  await app.mqtt.whenConnected()
  const first = send(app)
  await until(() => broker.published.length === 1, 'the publish')
  const second = send(app, { ...EXAMPLE, ttl: 1 })
  await shows('messenger_publishes_waiting', 1)
  advance(1_000)
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await first).statusCode, 200)
  t.equal((await second).statusCode, 406)
  t.strictSame((await scrape()).commands, { 'accepted/': 1, 'not_sent/expired': 1 })
})

t.test('counts a command as unknown where its PUBACK does not come, and the PUBACK that comes late', async t => {
  const broker = await startScriptedBroker(t)
  const { clock, advance } = createFakeClock()
  const { app, scrape, shows } = await startMeasuredApp(t, broker.url, {}, { clock })
  await app.mqtt.whenConnected()
  const response = send(app)
  await until(() => broker.published.length === 1, 'the publish')
  advance(5_000)
  t.equal((await response).statusCode, 504)
  const scraped = await scrape()
  t.strictSame(scraped.commands, { 'unknown/timed_out': 1 })
  t.equal(scraped.value('messenger_publishes_in_flight'), 1, 'it keeps its slot')
  t.equal(scraped.value('messenger_late_pubacks_total'), 0)

  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await shows('messenger_late_pubacks_total', 1)
  const later = await scrape()
  t.strictSame(later.commands, { 'unknown/timed_out': 1 }, 'what was answered stays answered')
  t.equal(later.value('messenger_publishes_in_flight'), 0)
})

t.test('counts each connection to a broker that goes and comes back, and says whether there is one', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t)
  const { app, scrape, shows } = await startMeasuredApp(t, broker.url)
  await app.mqtt.whenConnected()
  for (const connections of [1, 2]) {
    t.equal((await scrape()).value('messenger_broker_connected'), 1)
    t.equal((await scrape()).value('messenger_broker_connections_total'), connections)
    await broker.stop('SIGKILL')
    await shows('messenger_broker_connected', 0)
    t.equal((await send(app)).statusCode, 406)
    t.strictSame((await scrape()).commands, { 'not_sent/not_connected': connections })
    await broker.start()
    await shows('messenger_broker_connected', 1)
  }
  t.equal((await scrape()).value('messenger_broker_connections_total'), 3)
})

t.test('counts what a lost connection leaves behind, and the connection that follows', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 1 } })
  const { app, scrape } = await startMeasuredApp(t, broker.url)
  const connection = async () => {
    const scraped = await scrape()
    return { isUp: scraped.value('messenger_broker_connected'), connections: scraped.value('messenger_broker_connections_total') }
  }
  await app.mqtt.whenConnected()
  t.strictSame(await connection(), { isUp: 1, connections: 1 })

  broker.script.onConnect = () => { /* not yet */ }
  broker.script.onPublish = (_packet, { socket }) => { socket.destroy() }
  const responses = await Promise.all([send(app), send(app)])
  t.strictSame(responses.map(({ statusCode }) => statusCode), [504, 406])
  t.strictSame((await scrape()).commands, { 'unknown/connection_lost': 1, 'not_sent/not_connected': 1 })
  await until(() => broker.connections.length === 2, 'the second CONNECT')
  t.strictSame(await connection(), { isUp: 0, connections: 1 })

  acceptLast(broker)
  await app.mqtt.whenConnected()
  t.strictSame(await connection(), { isUp: 1, connections: 2 })
  t.equal(broker.published.length, 1)
})

t.test('shows how many publishes are in flight and how many wait, as it is at the scrape', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 3 } })
  const { app, scrape, shows } = await startMeasuredApp(t, broker.url)
  await app.mqtt.whenConnected()
  const read = async () => {
    const scraped = await scrape()
    return [scraped.value('messenger_publishes_in_flight'), scraped.value('messenger_publishes_waiting')]
  }
  t.strictSame(await read(), [0, 0])
  const responses = Promise.all(Array.from({ length: 5 }, () => send(app)))
  await shows('messenger_publishes_waiting', 2)
  t.strictSame(await read(), [3, 2])

  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  for (const { messageId } of [...broker.published]) broker.connections[0]?.puback(messageId)
  t.strictSame((await responses).map(({ statusCode }) => statusCode), [200, 200, 200, 200, 200])
  t.strictSame(await read(), [0, 0])
})

t.test('measures a publish from its hand-over to its outcome, the time in the queue included', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 1 } })
  const { clock, advance } = createFakeClock()
  const { app, scrape, shows } = await startMeasuredApp(t, broker.url, {}, { clock })
  await app.mqtt.whenConnected()
  const responses = Promise.all([send(app, { imei: IMEI, micro_op: 'a' }), send(app, { imei: IMEI, micro_op: 'b' })])
  await shows('messenger_publishes_waiting', 1)
  advance(125)
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  await until(() => broker.published.length === 2, 'the second publish')
  advance(250)
  broker.connections[0]?.puback(broker.published[1]?.messageId)
  await responses
  const scraped = await scrape()
  const name = 'messenger_publish_duration_seconds'
  t.strictSame(scraped.seriesOf(`${name}_sum`), { 'outcome=accepted': 0.5, 'outcome=not_sent': 0, 'outcome=unknown': 0 })
  const buckets = Object.entries(scraped.seriesOf(`${name}_bucket`)).filter(([labels]) => labels.endsWith('outcome=accepted'))
  t.strictSame(buckets.map(([labels, value]) => [/le=([^,]+)/.exec(labels)?.[1], value]), [
    ['0.0005', 0], ['0.001', 0], ['0.0025', 0], ['0.005', 0], ['0.01', 0], ['0.025', 0], ['0.05', 0], ['0.1', 0],
    ['0.25', 1], ['0.5', 2], ['1', 2], ['2.5', 2], ['5', 2], ['10', 2], ['+Inf', 2]
  ])
})

/** Accepts the connection that came last. */
function acceptLast (broker: Awaited<ReturnType<typeof startScriptedBroker>>): void {
  const connection = broker.connections.at(-1)
  if (connection !== undefined) broker.accept(connection)
}
