import t from 'tap'
import { nameDevices } from '../../../src/cli/device/imeis.js'
import { startBroker } from '../../helpers/broker.js'
import { commandTopic, REPLY_PREFIX, startCaller } from '../../helpers/caller.js'
import { createFakeClock } from '../../helpers/fake-clock.js'
import { startDevices } from '../../helpers/fleet.js'
import { skipWithoutMosquitto, startMosquitto } from '../../helpers/mosquitto.js'
import { until } from '../../helpers/until.js'

const resultOf = (imei: string) => ({ ok: true, imei, micro_op: 'push_down' })

for (const [protocolVersion, count] of [['5', 100], ['3.1.1', 50]] as const) {
  t.test(`${count} devices of MQTT ${protocolVersion} answer each for itself`, { skip: skipWithoutMosquitto }, async t => {
    const { url } = await startMosquitto(t)
    const caller = await startCaller(t, url)
    const imeis = nameDevices('sim', count)
    const fleet = startDevices(t, url, { imeis, replyDelayMs: [5, 50], link: { protocolVersion } })
    await fleet.allReady()
    t.equal(fleet.tally.ready, count)
    const isText = protocolVersion === '5'
    const ids = await Promise.all(imeis.map(imei => isText ? caller.sendText(imei, 'push_down') : caller.sendJson(imei, 'push_down')))
    const answers = await caller.answers(count)
    const expected = imeis.map((imei, index) => isText
      ? [`${REPLY_PREFIX}/${imei}`, ids[index], resultOf(imei)]
      : [`${REPLY_PREFIX}/${imei}`, undefined, { id: ids[index], result: resultOf(imei) }])
    t.strictSame(answers.sort(([a], [b]) => String(a) < String(b) ? -1 : 1), expected)
    await until(() => fleet.tally.replies === count, 'the PUBACKs of the answers')
    t.strictSame(fleet.tally, { ready: count, commands: count, duplicates: 0, late: 0, replies: count, lost: 0 })
    t.strictSame(fleet.faults, [])
    await fleet.stop()
    t.equal(fleet.tally.ready, 0)
  })
}

t.test('executes and answers a command once, and none that is late', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const fleet = startDevices(t, url)
  await fleet.allReady()
  const id = await caller.sendText('gate', 'push_down')
  await caller.sendText('gate', 'push_down', id)
  await caller.sendJson('gate', 'pull_up', { id: 'late', expires_at: 1 })
  const last = await caller.sendText('gate', 'last')
  const answers = await caller.answers(2)
  t.strictSame(answers.map(([, correlation]) => correlation), [id, last])
  t.strictSame(fleet.commands, ['push_down', 'last'].map(payload => `${commandTopic('gate')} ${payload}`))
  t.strictSame(fleet.dropped.map(line => line.slice(0, 20)), ['duplicate push_down', 'late {"id":"late","i'])
  t.strictSame([fleet.tally.commands, fleet.tally.duplicates, fleet.tally.late], [2, 1, 1])
})

t.test('answers as large a share as it is told', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const draws = [0.5, 0.4, 0.5, 0.5]
  // The first one is for a spell offline, and each answer draws its delay too.
  const fleet = startDevices(t, url, { replyRate: 0.5, random: () => draws.shift() ?? 0.9 })
  await fleet.allReady()
  const ids = []
  for (const payload of ['a', 'b', 'c']) ids.push(await caller.sendText('gate', payload))
  await until(() => fleet.tally.commands === 3, 'the commands')
  t.strictSame((await caller.answers(1)).map(([, correlation]) => correlation), [ids[0]])
  t.equal(draws.length, 0)
})

t.test('is away in spells, and gets what came meanwhile with a persistent session', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const { clock, advance } = createFakeClock()
  const offline = { everyMs: 60_000, forMs: 5_000 }
  const fleet = startDevices(t, url, { offline, clock, random: () => 0.5, link: { isPersistent: true } })
  await fleet.allReady()
  for (const times of [1, 2]) {
    advance(times === 1 ? 30_000 : 60_000)
    t.equal(fleet.tally.ready, 0)
    await caller.sendText('gate', 'push_down')
    advance(4_999)
    t.equal(fleet.tally.commands, times - 1)
    advance(1)
    await fleet.allReady(times + 1)
    await until(() => fleet.tally.commands === times, 'the command that waited')
    advance(0)
    await caller.answers(times)
  }
  t.strictSame(fleet.faults, [])
})

t.test('loses the answer that is due while it is away', async t => {
  const { url } = await startBroker(t)
  const caller = await startCaller(t, url)
  const { clock, advance } = createFakeClock()
  const fleet = startDevices(t, url, { offline: { everyMs: 200, forMs: 5_000 }, replyDelayMs: [150, 150], clock, random: () => 0.5 })
  await fleet.allReady()
  await caller.sendText('gate', 'push_down')
  await until(() => fleet.tally.commands === 1, 'the command')
  advance(150)
  t.strictSame([fleet.tally.ready, fleet.tally.lost], [0, 1])
  t.strictSame(caller.replies, [])
})
