import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { identify, recordNode, type Publication } from '../../deploy/cluster/recorder.js'

t.test('notes topic and command, and the time of the PUBACK before it passes it on', async t => {
  const broker = createServer(socket => {
    socket.on('data', () => { socket.write(mqttPacket.generate({ cmd: 'puback', messageId: 7 })) })
  }).listen(0, '127.0.0.1')
  await once(broker, 'listening')
  t.teardown(() => { broker.close() })
  const publications: Publication[] = []
  const address = broker.address()
  const url = new URL(await recordNode(t, typeof address === 'object' ? address?.port ?? 0 : 0, publications))
  const replica = connect(Number(url.port), url.hostname)
  replica.write(mqttPacket.generate({
    cmd: 'publish', topic: 'devices/1/commands', messageId: 7, qos: 1, dup: false, retain: false, payload: '{"id":"a","imei":"1"}'
  }))
  await once(replica, 'data')
  const passedMs = performance.now()
  replica.destroy()
  const [publication] = publications
  t.match(publications, [{ topic: 'devices/1/commands', imei: '1', id: 'a', acknowledgedMs: Number }])
  t.ok(Number(publication?.acknowledgedMs) <= passedMs)
})

t.test('reads no command from a payload that is none', async t => {
  const topic = 'devices/1/commands'
  t.strictSame(identify(topic, Buffer.from('{"id":"a","imei":"1"}')), { topic, id: 'a', imei: '1' })
  for (const payload of ['push_down', 'null', '[]', '{}', '{"id":1,"imei":1}', '']) t.strictSame(identify(topic, payload), { topic, id: '', imei: '' }, payload)
})
