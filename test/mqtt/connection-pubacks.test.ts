import t from 'tap'
import { openScripted, PUBLICATION } from '../helpers/open-connection.js'
import { until } from '../helpers/until.js'

t.test('hands on the reason code of each PUBACK, also of one with which MQTT.js rejects', async t => {
  const codes = [0, 0x10, 0x87, 0x97]
  const { link, pubacks } = await openScripted(t, {
    onPublish ({ messageId }, connection) { connection.puback(messageId, codes[connection.published.length - 1]) }
  })
  const ids = codes.map(() => link.publish(PUBLICATION, 30))
  await until(() => pubacks.length === codes.length, 'the PUBACKs')
  t.strictSame(pubacks, codes.map((code, index) => [ids[index], code]))
})

t.test('speaks MQTT 3.1.1 without properties, and takes its PUBACK as reason code 0', async t => {
  const { link, broker, pubacks } = await openScripted(t, {
    onPublish ({ messageId }, connection) { connection.puback(messageId) }
  }, { protocolVersion: '3.1.1' })
  const packetId = link.publish(PUBLICATION, 30)
  await until(() => pubacks.length > 0, 'the PUBACK')
  t.strictSame(pubacks, [[packetId, 0]])
  t.equal(broker.published[0]?.properties, undefined)
})

for (const protocolVersion of ['5', '3.1.1'] as const) {
  t.test(`tells of a PUBACK that no publish waits for, and leaves the others alone, in MQTT ${protocolVersion}`, async t => {
    const { link, broker, pubacks, ends } = await openScripted(t, {}, { protocolVersion })
    const packetId = link.publish(PUBLICATION, 30)
    await until(() => broker.published.length > 0, 'the PUBLISH')
    for (const id of [60_000, packetId, packetId]) broker.connections[0]?.puback(id)
    await until(() => pubacks.length === 3, 'the PUBACKs')
    t.strictSame(pubacks, [[60_000, 0], [packetId, 0], [packetId, 0]])
    t.strictSame(ends, [])
  })
}

t.test('says DISCONNECT when it is closed and what was in flight is acknowledged', async t => {
  const { link, broker, connection, ends, pubacks } = await openScripted(t)
  const packetId = link.publish(PUBLICATION, 30)
  await until(() => broker.published.length > 0, 'the PUBLISH')
  connection.close()
  t.strictSame(ends, [], 'not before')
  broker.connections[0]?.puback(packetId)
  await until(() => ends.length > 0, 'the end')
  t.strictSame(pubacks, [[packetId, 0]])
  t.strictSame(ends, ['the connection was closed'])
})

t.test('never reuses a Packet Identifier that is in flight, over more publishes than there are identifiers', async t => {
  let stuck: number | undefined
  const { link, broker, pubacks } = await openScripted(t, {
    onPublish ({ messageId }, connection) {
      if (connection.published.length === 1) stuck = messageId
      else connection.puback(messageId)
    }
  })
  const first = link.publish(PUBLICATION, 30)
  const others = new Set<number | undefined>()
  for (let sent = 0; sent < 66_000; sent += 1000) {
    for (let i = 0; i < 1000; i += 1) others.add(link.publish(PUBLICATION, 30))
    await until(() => pubacks.length === sent + 1000, 'the PUBACKs', 30_000)
  }
  t.notOk(others.has(first), 'the identifier of the stuck publish is not used for another')
  broker.connections[0]?.puback(stuck)
  await until(() => pubacks.length === 66_001, 'the late PUBACK')
  t.strictSame(pubacks.at(-1), [first, 0])
})
