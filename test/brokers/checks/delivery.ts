import type { Test } from 'tap'
import { EXAMPLE, IMEI, TOPIC } from '../../helpers/app.js'
import { subscribe } from '../../helpers/subscriber.js'
import { becomesReady, startConnectedServer } from '../session.js'
import type { Broker } from '../subjects/broker.js'

/** The connection itself, with either version of the protocol. */
export async function checkVersions (t: Test, broker: Broker) {
  const accepted: string[] = []
  for (const version of ['5', '3.1.1']) {
    const server = await becomesReady(t, broker, { MQTT_PROTOCOL: version })
    const { status, body } = await server.ready()
    t.equal(status, server.isReady ? 200 : 503)
    if (!server.isReady) continue
    t.equal(body, '{"status":"ready"}')
    accepted.push(version)
  }
  return { versions: accepted.join(', ') }
}

/** A 200 for nobody. Asked before anybody has subscribed. */
export async function checkNoSubscriber (t: Test, broker: Broker) {
  const server = await startConnectedServer(t, broker)
  const { status, proxyStatus } = await server.send()
  t.equal(status, 200)
  if (proxyStatus === null) return { noSubscriber: 'no' }
  t.equal(proxyStatus, 'messenger; details="no matching subscribers"')
  return { noSubscriber: 'yes' }
}

/** The documented example, and all that goes with it. */
export async function checkExample (t: Test, broker: Broker) {
  const device = await subscribe(t, broker.url, TOPIC, broker.device)
  const server = await startConnectedServer(t, broker, { COMMAND_TTL_S: '77' })
  const { status, body, proxyStatus } = await server.send(EXAMPLE, { 'x-request-id': 'request.1' })
  t.equal(status, 200)
  t.equal(body, `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`"}`)
  t.equal(proxyStatus, null)
  t.equal((await server.send({ imei: IMEI, micro_op: 'last' })).status, 200)
  await device.count(2)
  t.strictSame(device.payloads, ['push_down', 'last'])

  const [packet] = device.received
  t.equal(packet?.topic, TOPIC)
  t.equal(packet?.qos, 1)
  t.equal(packet?.retain, false)
  t.equal(packet?.dup, false)
  const { contentType, userProperties, messageExpiryInterval } = packet?.properties ?? {}
  const { id, ...others } = { ...userProperties }
  if (contentType === undefined) {
    t.strictSame([id, others, messageExpiryInterval], [undefined, {}, undefined])
    return { example: 'yes', properties: 'no', interval: 'no' }
  }
  t.equal(contentType, 'text/plain')
  t.match(id, /^[0-9a-f-]{36}$/)
  t.strictSame(others, { request_id: 'request.1' })
  t.equal(messageExpiryInterval, 77)
  return { example: 'yes', properties: 'yes', interval: 'yes' }
}

/** A hundred callers at once, for a hundred devices. */
export async function checkHundred (t: Test, broker: Broker) {
  const auditor = await subscribe(t, broker.url, 'devices/+/commands', broker.auditor)
  const server = await startConnectedServer(t, broker)
  const commands = Array.from({ length: 100 }, (_, n) => ({ imei: `d${n}`, micro_op: `op_${n}` }))
  const answers = await Promise.all(commands.map(command => server.send(command)))
  t.strictSame(answers.map(({ status }) => status), commands.map(() => 200))
  t.equal((await server.send({ imei: 'last', micro_op: 'last' })).status, 200)
  await auditor.count(101)
  const arrived = auditor.received.map(({ topic, payload }) => `${topic} ${payload.toString()}`)
  t.strictSame(arrived.sort(), [...commands, { imei: 'last', micro_op: 'last' }].map(command => `devices/${command.imei}/commands ${command.micro_op}`).sort())
  return { hundred: 'yes' }
}

/** A `ttl`, which is refused where the protocol could not keep it. */
export async function checkTtl (t: Test, broker: Broker) {
  const device = await subscribe(t, broker.url, TOPIC, broker.device)
  const server = await startConnectedServer(t, broker)
  const { status, body } = await server.send({ ...EXAMPLE, ttl: 5 })
  t.equal((await server.send({ imei: IMEI, micro_op: 'last' })).status, 200)
  if (status === 200) {
    await device.count(2)
    t.strictSame(device.payloads, ['push_down', 'last'])
    t.equal(device.received[0]?.properties?.messageExpiryInterval, 5)
  } else {
    await device.count(1)
    t.strictSame(device.payloads, ['last'])
    t.strictSame(JSON.parse(body).errors, [
      { pointer: '/ttl', detail: 'must be left out: the broker is spoken to in MQTT 3.1.1, which has no expiry' }
    ])
  }
  return { ttl: String(status) }
}
