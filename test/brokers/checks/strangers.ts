import type { Test } from 'tap'
import { EXAMPLE, IMEI, TOPIC } from '../../helpers/app.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'
import { asSession, becomesReady, connect, NOT_SENT_BODY, startConnectedServer } from '../session.js'
import { OTHER, type Broker } from '../subjects/broker.js'

const OTHER_TOPIC = `devices/${OTHER}/commands`

type Device = Awaited<ReturnType<typeof connect>>
type Server = Awaited<ReturnType<typeof startConnectedServer>>

/** A device that listens to the topic of another one. */
export async function checkEavesdropper (t: Test, broker: Broker) {
  const auditor = await subscribe(t, broker.url, TOPIC, broker.auditor)
  const other = await connect(t, broker.url, broker.other)
  // Brokers refuse in their own ways: by a reason code, or by closing the connection, at which MQTT.js tells its caller nothing.
  const closed = new Promise<void>(resolve => { other.client.once('close', () => { resolve() }) })
  await Promise.race([closed, other.client.subscribeAsync(TOPIC, { qos: 1 }).catch(() => {})])
  const server = await startConnectedServer(t, broker)
  t.equal((await server.send()).status, 200)
  await auditor.count(1)
  t.strictSame(auditor.payloads, [EXAMPLE.micro_op])
  return { eavesdropper: await describeCatch(t, other, server) }
}

/** A device that comes with the client identifier of another one, for which a command waits. */
export async function checkThief (t: Test, broker: Broker) {
  const session = asSession(broker.device, `${IMEI}-stolen`)
  const { client } = await subscribe(t, broker.url, TOPIC, session)
  await client.endAsync()
  const server = await startConnectedServer(t, broker)
  t.equal((await server.send()).status, 200)
  const { username, password } = broker.other
  try {
    const thief = await connect(t, broker.url, { ...session, ...(username !== undefined && { username, password }) })
    return { thief: await describeCatch(t, thief, server) }
  } catch {
    return { thief: 'gets nothing' }
  }
}

/** What a device has got that it should not, where it is connected by now. */
async function describeCatch (t: Test, { client, received }: Device, server: Server): Promise<string> {
  if (client.connected) {
    // What it may have comes after what it may not.
    await client.subscribeAsync(OTHER_TOPIC, { qos: 1 })
    t.equal((await server.send({ imei: OTHER, micro_op: 'own' })).status, 200)
    await until(() => received.some(({ topic }) => topic === OTHER_TOPIC), 'the command of its own')
  }
  return received.some(({ topic }) => topic === TOPIC) ? 'gets them' : 'gets nothing'
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
  const refusals = server.log.filter(({ msg, reason }) => msg !== 'answered' && reason !== undefined)
  for (const { reason } of refusals) t.match(reason, /^Connection refused: (Not authorized|Bad username or password)$/)
  const { status, body, proxyStatus } = await server.send()
  t.strictSame([status, body, proxyStatus], [406, NOT_SENT_BODY, 'messenger; error=destination_unavailable'])
  return { credentials: 'never ready' }
}
