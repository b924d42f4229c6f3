import type { Test } from 'tap'
import { EXAMPLE, IMEI, TOPIC } from '../../helpers/app.js'
import { startCountingTap } from '../../helpers/counting-tap.js'
import { subscribe } from '../../helpers/subscriber.js'
import { becomesReady, NOT_SENT_BODY, readConnack, startConnectedServer } from '../session.js'
import type { Broker } from '../subjects.js'

/** A publish to a topic that the messenger has no right to. */
export async function checkRefused (t: Test, broker: Broker) {
  const auditor = await subscribe(t, broker.url, '#', broker.auditor)
  const forbidden = await startConnectedServer(t, broker, { MQTT_TOPIC: 'elsewhere/{imei}' })
  const allowed = await startConnectedServer(t, broker)
  const { status, proxyStatus, body } = await forbidden.send()
  t.equal((await allowed.send({ imei: IMEI, micro_op: 'last' })).status, 200)
  await auditor.count(1)
  const hasArrived = auditor.received[0]?.topic !== TOPIC
  await auditor.count(hasArrived ? 2 : 1)
  t.strictSame(auditor.payloads, [...hasArrived ? ['push_down'] : [], 'last'])
  if (hasArrived) {
    t.equal(status, 200)
    return { refused: 'there is no access control' }
  }
  if (status === 406) {
    t.equal(body, NOT_SENT_BODY)
    t.equal(proxyStatus, 'messenger; error=proxy_configuration_error; details="not authorized"')
    t.ok(forbidden.app.mqtt.isConnected, 'others are not hurt')
    return { refused: '406' }
  }
  return { refused: status === 504 ? await describeLoss(t, forbidden, proxyStatus) : `${status}, and nothing arrives` }
}

/** The broker ended the connection: the caller is told "unknown", and the messenger connects again. */
async function describeLoss (t: Test, { app }: Awaited<ReturnType<typeof startConnectedServer>>, proxyStatus: string | null) {
  t.equal(proxyStatus, 'messenger; error=connection_terminated')
  await app.mqtt.whenConnected()
  return '504, the connection is closed'
}

/** A wrong password. */
export async function checkCredentials (t: Test, broker: Broker) {
  const server = await becomesReady(t, broker, { MQTT_USERNAME: 'messenger', MQTT_PASSWORD: 'wrong' })
  const ready = await server.ready()
  if (server.isReady) {
    t.equal(ready.status, 200)
    return { credentials: 'nobody is asked for one' }
  }
  t.equal(ready.status, 503)
  t.equal(JSON.parse(ready.body).code, 'broker_unavailable')
  for (const { reason } of server.log.filter(({ reason }) => reason !== undefined)) t.match(reason, /^Connection refused: (Not authorized|Bad username or password)$/)
  const { status, body, proxyStatus } = await server.send()
  t.strictSame([status, body, proxyStatus], [406, NOT_SENT_BODY, 'messenger; error=destination_unavailable'])
  return { credentials: 'never ready' }
}

/** The limit that the broker sets to what is in flight. */
export async function checkReceiveMaximum (t: Test, broker: Broker) {
  const protocolVersion = broker.env.MQTT_PROTOCOL === '3.1.1' ? 4 : 5
  const { properties } = await readConnack(t, broker.url, { ...broker.auditor, protocolVersion })
  const announced = properties?.receiveMaximum
  const link = protocolVersion === 5 ? await startCountingTap(t, broker.url) : undefined
  const server = await startConnectedServer(t, { env: broker.env, url: link?.url ?? broker.url })
  t.equal(server.log.find(({ msg }) => msg === 'connected to the broker')?.receiveMaximum, announced ?? 65_535)
  const answers = await Promise.all(Array.from({ length: 100 }, () => server.send()))
  t.strictSame(answers.map(({ status }) => status), Array(100).fill(200))
  if (link !== undefined && announced !== undefined) t.ok(link.most <= announced, `${link.most} in flight at once`)
  return { receiveMaximum: String(announced ?? 'no') }
}

/** A command of more bytes than the broker was told to take. */
export async function checkTooLarge (t: Test, broker: Broker) {
  if (broker.startWithMaximum === undefined) {
    const { properties } = await readConnack(t, broker.url, broker.auditor)
    t.equal(properties?.maximumPacketSize, undefined)
    return { tooLarge: 'there is no maximum' }
  }
  const limited = await broker.startWithMaximum(200)
  const device = await subscribe(t, limited.url, TOPIC, broker.device)
  // The topic and, in MQTT 5, the request id go beyond it.
  const server = await startConnectedServer(t, { env: broker.env, url: limited.url }, { MQTT_PAYLOAD: 'json' })
  const small = await startConnectedServer(t, { env: broker.env, url: limited.url })
  const { status, proxyStatus } = await server.send({ ...EXAMPLE, micro_op: 'x'.repeat(64) }, { 'x-request-id': 'r'.repeat(128) })
  t.equal((await small.send(EXAMPLE, { 'x-request-id': '1' })).status, 200)
  await device.count(1)
  t.strictSame(device.payloads, ['push_down'])
  if (status === 504) return { tooLarge: await describeLoss(t, server, proxyStatus) }
  t.equal(proxyStatus, 'messenger; error=proxy_configuration_error; details="packet too large"')
  t.ok(server.app.mqtt.isConnected)
  return { tooLarge: String(status) }
}
