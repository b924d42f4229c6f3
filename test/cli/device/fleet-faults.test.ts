import t, { type Test } from 'tap'
import { nameDevices } from '../../../src/cli/device/imeis.js'
import { commandTopic } from '../../helpers/caller.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { startDevices, type DeviceChanges } from '../../helpers/fleet.js'
import { startScriptedBroker } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

/** A broker that has one device, to which it delivers a command that asks for an answer. */
async function startWithCommand (t: Test, onPublish: NonNullable<Parameters<typeof startScriptedBroker>[1]>['onPublish'], options: DeviceChanges = {}) {
  const broker = await startScriptedBroker(t, { ...(onPublish !== undefined && { onPublish }) })
  const fleet = startDevices(t, broker.url, options)
  await fleet.allReady()
  broker.connections[0]?.send({
    cmd: 'publish',
    topic: commandTopic('gate'),
    payload: 'push_down',
    qos: 0,
    dup: false,
    retain: false,
    properties: { responseTopic: 'replies/gate', correlationData: Buffer.from('1') }
  })
  return { broker, fleet }
}

t.test('says that its answer was refused', async t => {
  const { fleet } = await startWithCommand(t, ({ messageId }, connection) => { connection.puback(messageId, 0x87) })
  await until(() => fleet.faults.length > 0, 'the fault')
  t.strictSame(fleet.faults, ['a reply was not taken: Publish error: Not authorized (replies/gate)'])
  t.strictSame([fleet.tally.replies, fleet.tally.lost], [0, 1])
})

t.test('says it once of many devices', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId, 0x87) } })
  const fleet = startDevices(t, broker.url, { imeis: nameDevices('sim', 3) })
  await fleet.allReady()
  for (const connection of broker.connections) {
    const topic = String(connection.subscribed[0])
    connection.send({ cmd: 'publish', topic, payload: 'x', qos: 0, dup: false, retain: false, properties: { responseTopic: `${topic}/reply`, correlationData: Buffer.from('1') } })
  }
  await until(() => fleet.tally.lost === 3, 'the refusals')
  t.equal(fleet.faults.length, 1, fleet.faults.join())
})

t.test('gives up a connection on which the subscription is not answered, and its turn with it', async t => {
  const broker = await startScriptedBroker(t, { onSubscribe () {} })
  const { clock, advance } = createFakeClock()
  const fleet = startDevices(t, broker.url, { clock, random: () => 0 })
  await until(() => broker.connections[0]?.subscribed.length === 1, 'the SUBSCRIBE')
  advance(9_999)
  t.strictSame(fleet.faults, [])
  delete broker.script.onSubscribe
  advance(1)
  t.strictSame(fleet.faults, ['the broker does not answer the subscription'])
  advance(250)
  await fleet.allReady()
})

t.test('loses the answer whose connection ends, and connects again', async t => {
  const { broker, fleet } = await startWithCommand(t, (_, { socket }) => { socket.destroy() })
  await fleet.allReady(2)
  t.strictSame([fleet.tally.ready, fleet.tally.replies, fleet.tally.lost], [1, 0, 1])
  t.strictSame(fleet.faults, ['the connection was closed'])
  t.equal(broker.published.length, 1, 'it is not sent again')
  t.match(broker.connections[0]?.connect?.clientId, /^gate-[0-9a-f]{8}$/)
})

t.test('ends by force where an answer is never acknowledged', async t => {
  const { clock, advance } = createFakeClock()
  const { broker, fleet } = await startWithCommand(t, undefined, { clock })
  await until(() => { advance(0); return broker.published.length === 1 }, 'the answer')
  const stopped = fleet.stop()
  advance(999)
  t.equal(fleet.tally.ready, 1)
  advance(1)
  await stopped
  t.strictSame([fleet.tally.ready, fleet.tally.lost], [0, 1])
})

t.test('gives up an answer that is not due yet when it is stopped', async t => {
  const { broker, fleet } = await startWithCommand(t, undefined, { replyDelayMs: [60_000, 60_000] })
  await until(() => fleet.tally.commands === 1, 'the command')
  await fleet.stop()
  t.strictSame([fleet.tally.ready, fleet.tally.lost, broker.published.length], [0, 0, 0])
})

t.test('answers nothing that comes after it was stopped', async t => {
  const { broker, fleet } = await startWithCommand(t, undefined, { replyDelayMs: [0, 0] })
  await until(() => broker.published.length === 1, 'the answer, which keeps the connection open')
  const stopped = fleet.stop()
  broker.connections[0]?.send({
    cmd: 'publish', topic: commandTopic('gate'), payload: 'late', qos: 0, dup: false, retain: false, properties: { responseTopic: 'replies/gate', correlationData: Buffer.from('2') }
  })
  await until(() => fleet.tally.commands === 2, 'the command')
  await stopped
  t.equal(broker.published.length, 1)
  t.strictSame(fleet.faults, [])
})

t.test('connects 50 at a time, and stops also those that are connecting or wait for their turn', async t => {
  const broker = await startScriptedBroker(t, { onConnect () {} })
  const fleet = startDevices(t, broker.url, { imeis: nameDevices('sim', 120) })
  await until(() => broker.connections.length === 50, 'the first connections')
  for (const connection of broker.connections.slice(0, 20)) broker.accept(connection)
  await until(() => broker.connections.length === 70, 'the next connections')
  t.equal(fleet.tally.ready, 20)
  await fleet.stop()
  t.equal(fleet.tally.ready, 0)
  t.equal(broker.connections.length, 70)
  t.strictSame(fleet.faults, [])
})

t.test('tries longer and longer apart, and tells the same fault once in five seconds', async t => {
  const broker = await startScriptedBroker(t, { reasonCode: 0x87 })
  const { clock, advance } = createFakeClock()
  const fleet = startDevices(t, broker.url, { clock, random: () => 0 })
  // Attempts at 0, 250, 750, 1750, 3750, 7750 and 12750 ms.
  for (const [index, waitMs] of [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000].entries()) {
    await until(() => broker.connections[index]?.socket.destroyed === true, 'the end of the attempt')
    t.equal(fleet.faults.length, [1, 1, 1, 1, 1, 2, 3][index])
    advance(waitMs - 1)
    t.equal(broker.connections.length, index + 1)
    advance(1)
    await until(() => broker.connections.length === index + 2, 'the next attempt')
  }
  t.strictSame(new Set(fleet.faults), new Set(['Connection refused: Not authorized']))
})

for (const [reasonCode, name] of [[0x8E, 'Session taken over'], [0, 'reason code 0']] as const) {
  t.test(`says that the broker disconnected: ${name}`, async t => {
    const broker = await startScriptedBroker(t)
    const fleet = startDevices(t, broker.url, { link: { isPersistent: true, username: 'user-{imei}', password: '{imei}-{imei}' } })
    await fleet.allReady()
    const [connection] = broker.connections
    t.strictSame([connection?.connect?.clientId, connection?.connect?.clean, connection?.connect?.properties], ['gate', false, { sessionExpiryInterval: 86_400 }])
    t.strictSame([connection?.connect?.username, connection?.connect?.password?.toString()], ['user-gate', 'gate-gate'])
    connection?.send({ cmd: 'disconnect', reasonCode })
    connection?.socket.end()
    await until(() => fleet.faults.length > 0, 'the fault')
    t.strictSame(fleet.faults, [`the broker disconnected: ${name}`])
  })
}
