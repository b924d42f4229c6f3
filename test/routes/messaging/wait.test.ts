import t from 'tap'
import { EXAMPLE, IMEI, send, startConnectedApp, TOPIC } from '../../helpers/app.js'
import { answer, startAnsweringDevice } from '../../helpers/answering-device.js'
import { skipWithoutMosquitto, startMosquitto } from '../../helpers/mosquitto.js'
import { subscribe } from '../../helpers/subscriber.js'

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
})

t.test('gives each of 1,000 callers that wait at once the reply of its own device', { skip: skipWithoutMosquitto }, async t => {
  const { url } = await startMosquitto(t)
  const app = await startConnectedApp(t, url)
  await startAnsweringDevice(t, url, packet => `${packet.topic} ${packet.payload.toString()}`)
  const responses = await Promise.all(Array.from({ length: 1000 }, (_, n) => send(app, { imei: `d${n}`, micro_op: `op_${n}` }, wait(10))))
  t.strictSame(new Set(responses.map(({ statusCode }) => statusCode)), new Set([200]))
  t.strictSame(responses.map(response => response.json().reply), responses.map((_, n) => `devices/d${n}/commands op_${n}`))
})
