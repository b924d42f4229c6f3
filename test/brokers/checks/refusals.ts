import type { Test } from 'tap'
import { EXAMPLE, send, TOPIC } from '../../helpers/app.js'
import { startCountingTap } from '../../helpers/counting-tap.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'
import { NOT_SENT_BODY, readConnack, startConnectedServer } from '../session.js'
import type { Broker } from '../subjects/broker.js'

/** A publish to a topic that the messenger has no right to, and right behind it one to a topic that it has. */
export async function checkRefused (t: Test, broker: Broker) {
  const auditor = await subscribe(t, broker.url, '#', broker.auditor)
  const server = await startConnectedServer(t, broker, { MQTT_TOPIC: '{imei}/1/commands' })
  // Injected, because two connections would leave open which of the two is written first.
  const [forbidden, neighbour] = await Promise.all([
    send(server.app, { imei: 'elsewhere', micro_op: 'forbidden' }),
    send(server.app, { imei: 'devices', micro_op: 'neighbour' })
  ])
  await server.app.mqtt.whenConnected()
  t.equal((await server.send({ imei: 'devices', micro_op: 'last' })).status, 200)
  await until(() => auditor.payloads.includes('last'), 'the last command')
  const hasArrived = auditor.payloads.includes('forbidden')
  t.strictSame(auditor.payloads, [...hasArrived ? ['forbidden'] : [], ...neighbour.statusCode === 200 ? ['neighbour'] : [], 'last'])
  return {
    refused: hasArrived ? describeArrival(t, forbidden.statusCode) : describeRefusal(t, forbidden),
    neighbour: String(neighbour.statusCode)
  }
}

function describeArrival (t: Test, status: number): string {
  t.equal(status, 200)
  return 'there is no access control'
}

function describeRefusal (t: Test, { statusCode, body, headers }: Awaited<ReturnType<typeof send>>): string {
  if (statusCode === 504) return describeLoss(t, headers['proxy-status'])
  if (statusCode !== 406) return `${statusCode}, and nothing arrives`
  t.equal(body, NOT_SENT_BODY)
  t.equal(headers['proxy-status'], 'messenger; error=proxy_configuration_error; details="not authorized"')
  return '406'
}

/** The broker ended the connection: the caller is told "unknown". */
function describeLoss (t: Test, proxyStatus: unknown): string {
  t.equal(proxyStatus, 'messenger; error=connection_terminated')
  return '504, the connection is closed'
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
  if (status === 504) return { tooLarge: describeLoss(t, proxyStatus) }
  t.equal(proxyStatus, 'messenger; error=proxy_configuration_error; details="packet too large"')
  t.ok(server.app.mqtt.isConnected)
  return { tooLarge: String(status) }
}
