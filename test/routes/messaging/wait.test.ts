import t from 'tap'
import { readBlock } from '../../brokers/docs.js'
import { EXAMPLE, IMEI, send, startConnectedApp, TOPIC } from '../../helpers/app.js'
import { answer, startAnsweringDevice } from '../../helpers/answering-device.js'
import { skipWithoutMosquitto, startMosquitto } from '../../helpers/mosquitto.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'

const wait = (seconds: number | string) => ({ prefer: `wait=${seconds}` })

t.test('Prefer: wait on a real broker', { skip: skipWithoutMosquitto }, async t => {
  const { url } = await startMosquitto(t)
  const app = await startConnectedApp(t, url)
  const device = await subscribe(t, url, TOPIC)

  t.test('answers 200 with the reply of an MQTT 5 device, and says what it applied', async t => {
    const response = send(app, EXAMPLE, wait(5))
    await device.count(1)
    const [packet] = device.received
    t.match(packet?.properties?.responseTopic, new RegExp(`^messenger/[0-9a-f]{12}/replies/${IMEI}$`))
    t.equal(packet?.properties?.messageExpiryInterval, 5, 'without a ttl, the wait is the ttl')
    await answer(device.client, packet, '{"gate":"down"}')
    const { statusCode, body, headers } = await response
    t.equal(statusCode, 200)
    t.equal(body, `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`","reply":{"gate":"down"}}`)
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
    t.equal(headers['preference-applied'], 'wait=5')
    t.equal(headers['proxy-status'], undefined)
  })

  t.test('takes no reply from the topic of another device, and none to a command of nobody', async t => {
    const response = send(app, EXAMPLE, wait(5))
    await device.count(2)
    const packet = device.received[1]
    const { responseTopic = '', correlationData = Buffer.alloc(0) } = packet?.properties ?? {}
    await device.client.publishAsync(responseTopic.replace(IMEI, 'other'), 'forged', { qos: 1, properties: { correlationData } })
    await device.client.publishAsync(responseTopic, 'guessed', { qos: 1, properties: { correlationData: Buffer.from('0190b3c2-0000-7000-8000-000000000000') } })
    await device.client.publishAsync(responseTopic, '{"id":"guessed","result":1}', { qos: 1 })
    await answer(device.client, packet, 'true')
    t.equal((await response).json().reply, true)
  })

  t.test('is not harmed by a reply of two megabytes', async t => {
    const response = send(app, EXAMPLE, wait(5))
    await device.count(3)
    await answer(device.client, device.received[2], Buffer.alloc(2_097_152, 'x'))
    await answer(device.client, device.received[2], 'short')
    t.equal((await response).json().reply, 'short')
    t.ok(app.mqtt.isConnected)
  })

  t.test('answers 404 at once where nobody is subscribed', async t => {
    const startedMs = performance.now()
    const { statusCode, body } = await send(app, { imei: 'nobody', micro_op: 'push_down' }, wait(5))
    const tookMs = performance.now() - startedMs
    t.strictSame([statusCode, JSON.parse(body).code], [404, 'no_subscriber'])
    t.ok(tookMs < 5_000, `not at the end of its time: ${tookMs} ms`)
    const plain = await send(app, { imei: 'nobody', micro_op: 'push_down' })
    t.strictSame([plain.statusCode, plain.headers['proxy-status']], [200, 'messenger; details="no matching subscribers"'])
  })

  t.test('answers 504 at its time where the device is silent, and others meanwhile', async t => {
    const startedMs = performance.now()
    let isOver = false
    const silent = send(app, EXAMPLE, wait(2)).finally(() => { isOver = true })
    await device.count(4)
    const other = send(app, EXAMPLE, wait(5))
    await device.count(5)
    await answer(device.client, device.received[4], 'ok')
    t.equal((await other).statusCode, 200)
    t.notOk(isOver)
    t.equal((await silent).json().code, 'reply_timeout')
    const tookMs = performance.now() - startedMs
    t.ok(tookMs >= 2_000, `${tookMs} ms`)
  })
})

t.test('gives each of 1,000 callers that wait at once the reply of its own device', { skip: skipWithoutMosquitto }, async t => {
  const { url } = await startMosquitto(t)
  // A thousand requests begin in one turn of the event loop, which takes its time on a busy machine.
  const app = await startConnectedApp(t, url, { MQTT_QUEUE_TIMEOUT_MS: '6000' })
  await startAnsweringDevice(t, url, packet => `${packet.topic} ${packet.payload.toString()}`)
  const responses = await Promise.all(Array.from({ length: 1000 }, (_, n) => send(app, { imei: `d${n}`, micro_op: `op_${n}` }, wait(10))))
  t.strictSame(new Set(responses.map(({ statusCode }) => statusCode)), new Set([200]))
  t.strictSame(responses.map(response => response.json().reply), responses.map((_, n) => `devices/d${n}/commands op_${n}`))
})

t.test('subscribes again, and waits as before, when the broker has come back', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t)
  const app = await startConnectedApp(t, broker.url)
  const device = await startAnsweringDevice(t, broker.url, () => '"done"')
  t.equal((await send(app, EXAMPLE, wait(5))).json().reply, 'done')
  await broker.stop('SIGKILL')
  await until(() => !app.mqtt.isConnected, 'the end of the connection')
  t.equal((await send(app, EXAMPLE, wait(5))).statusCode, 406)
  await broker.start()
  await app.mqtt.whenConnected()
  await until(() => device.client.connected, 'the device')
  await device.client.subscribeAsync('devices/+/commands', { qos: 1 })
  t.equal((await send(app, EXAMPLE, wait(5))).json().reply, 'done')
})

t.test('hears a device of MQTT 3.1.1 where payloads are JSON', { skip: skipWithoutMosquitto }, async t => {
  const { url } = await startMosquitto(t)
  const app = await startConnectedApp(t, url, { MQTT_PAYLOAD: 'json' })
  const device = await subscribe(t, url, TOPIC, { protocolVersion: 4 })
  const response = send(app, EXAMPLE, wait(5))
  await device.count(1)
  const { id, reply_to: replyTo } = JSON.parse(String(device.payloads[0]))
  await device.client.publishAsync(replyTo, JSON.stringify({ id, result: { gate: 'down' } }), { qos: 1 })
  t.strictSame((await response).json().reply, { gate: 'down' })
})

t.test('lets the access control of a broker keep devices apart, as docs/brokers.md has it', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t, { config: ['allow_anonymous true', 'acl_file {dir}/acl'], files: { acl: readBlock('Mosquitto 2', 'acl') } })
  const app = await startConnectedApp(t, broker.url, { MQTT_USERNAME: 'messenger', MQTT_PASSWORD: 'x' })
  const own = await subscribe(t, broker.url, 'devices/d1/commands', { username: 'd1', password: 'x' })
  const forger = await subscribe(t, broker.url, 'devices/d1/commands', { username: 'd2', password: 'x' })
  const response = send(app, { imei: 'd1', micro_op: 'push_down' }, wait(5))
  await own.count(1)
  await t.rejects(answer(forger.client, own.received[0], 'forged'), /Not authorized/)
  await answer(own.client, own.received[0], 'mine')
  t.equal((await response).json().reply, 'mine')
  t.strictSame(forger.received, [], 'what it is not allowed to read, it does not get')
})
