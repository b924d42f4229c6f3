import type { IPublishPacket } from 'mqtt'
import t from 'tap'
import { EXAMPLE, IMEI, TOPIC } from '../helpers/app.js'
import { skipWithoutRabbitmq, startRabbitmq } from '../helpers/rabbitmq.js'
import { subscribe } from '../helpers/subscriber.js'
import { readBlock, readEnv } from './docs.js'
import { NOT_SENT_BODY, startConnectedServer } from './session.js'

const SECTION = 'RabbitMQ 3.10'

/** A virtual host beside that of the page, with the entries that the page has for waits. */
const WAITS = 'waits'

const WAIT = { prefer: 'wait=20' }

type Entries = Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>

t.setTimeout(300_000)

t.test('RabbitMQ', { skip: skipWithoutRabbitmq }, async t => {
  const env: Record<string, string> = { ...readEnv(SECTION), MQTT_PAYLOAD: 'json' }
  const documented = JSON.parse(readBlock(SECTION, 'json')) as Entries
  const forWaits = JSON.parse(readBlock(SECTION, 'json', 1)) as Entries
  const inWaits = (name: string) => forWaits[name]?.map(entry => ({ ...entry, vhost: WAITS })) ?? []
  const definitions = {
    ...documented,
    vhosts: [...documented.vhosts ?? [], { name: WAITS }],
    permissions: [...documented.permissions ?? [], ...inWaits('permissions')],
    topic_permissions: [...documented.topic_permissions ?? [], ...inWaits('topic_permissions')]
  }
  const broker = await startRabbitmq(t, {
    config: [readBlock(SECTION, 'conf').replaceAll('/etc/rabbitmq/', '{dir}/')],
    files: { 'definitions.json': JSON.stringify(definitions) }
  })
  const password = String(documented.users?.find(({ name }) => name === IMEI)?.password)
  const at = (vhost: string) => ({ protocolVersion: 4 as const, clientId: IMEI, username: `${vhost}:${IMEI}`, password })

  await t.test('brings the answer of a device to its caller with the entries for waits, and none that another device could give', async t => {
    const server = await startConnectedServer(t, { url: broker.url, env: { ...env, MQTT_USERNAME: `${WAITS}:${env.MQTT_USERNAME}` } })
    const device = await subscribe(t, broker.url, TOPIC, at(WAITS))
    const replyTo = ({ payload }: IPublishPacket) => JSON.parse(String(payload))
    device.client.on('message', (_topic, _payload, packet) => {
      const { id, reply_to: topic } = replyTo(packet)
      device.client.publish(topic, JSON.stringify({ id, result: { gate: 'down' } }), { qos: 1 })
    })
    const { status, body } = await server.send(EXAMPLE, WAIT)
    t.equal(status, 200, body)
    t.strictSame(JSON.parse(body).reply, { gate: 'down' })

    const [command] = device.received
    if (command === undefined) throw new Error('the device got no command')
    // RabbitMQ ends the connection of a device that publishes where it may not.
    const ended = new Promise<void>(resolve => { device.client.once('close', () => { resolve() }) })
    device.client.publish(replyTo(command).reply_to.replace(IMEI, 'another'), '{}', { qos: 1 })
    await ended
  })

  await t.test('answers 406 without them, and sends others again once it is connected', async t => {
    const server = await startConnectedServer(t, { url: broker.url, env })
    const { status, proxyStatus, body } = await server.send(EXAMPLE, WAIT)
    t.strictSame([status, proxyStatus, body], [406, 'messenger; error=destination_unavailable', NOT_SENT_BODY])
    t.ok(server.log.some(({ msg }) => msg.startsWith('the connection ended on the subscription to replies')))
    await server.app.mqtt.whenConnected()
    t.equal((await server.send()).status, 200)
  })
})
