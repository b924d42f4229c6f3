import t from 'tap'
import { EXAMPLE, send } from '../../helpers/app.js'
import { startScriptedApp } from '../../helpers/scripted-app.js'
import { acknowledging } from '../../helpers/scripted-broker.js'
import { until } from '../../helpers/until.js'

const WAIT = { prefer: 'wait=10' }

t.test('publishes a waiting command only after the SUBACK of its connection, and others before it', async t => {
  let subscribeId: number | undefined
  const { broker, app, published } = await startScriptedApp(t, { ...acknowledging, onSubscribe ({ messageId }) { subscribeId = messageId } })
  const response = send(app, EXAMPLE, WAIT)
  const second = send(app, EXAMPLE, WAIT)
  await until(() => broker.connections[0]?.subscribed.length === 1, 'the SUBSCRIBE')
  t.equal((await send(app)).statusCode, 200)
  t.equal(broker.published.length, 1)
  const [connection] = broker.connections
  t.match(connection?.subscribed[0], /^messenger\/[0-9a-f]{12}\/replies\/\+$/)
  connection?.suback(subscribeId)
  await published(3)
  for (const packet of broker.published.slice(1)) connection?.reply(packet, 'true')
  t.strictSame([(await response).json().reply, (await second).json().reply], [true, true])
  t.equal(connection?.subscribed.length, 1, 'one subscription serves all')
})

t.test('answers 406 where no SUBACK comes within the queue time-out, and sends others', async t => {
  const { broker, advance, app } = await startScriptedApp(t, { ...acknowledging, onSubscribe () {} })
  const response = send(app, EXAMPLE, WAIT)
  await until(() => broker.connections[0]?.subscribed.length === 1, 'the SUBSCRIBE')
  advance(1_000)
  const { statusCode, headers } = await response
  t.strictSame([statusCode, headers['proxy-status'], headers['retry-after']], [406, 'messenger; error=destination_unavailable', '2'])
  t.equal((await send(app, EXAMPLE, WAIT)).statusCode, 406, 'at once')
  t.equal(broker.published.length, 0)
  t.equal((await send(app)).statusCode, 200)
})

t.test('answers 406 where the broker refuses the subscription to replies, says so once, and sends others', async t => {
  const { broker, app, log } = await startScriptedApp(t, { ...acknowledging, subackCode: 0x87 })
  for (const { statusCode, headers } of [await send(app, EXAMPLE, WAIT), await send(app, EXAMPLE, WAIT)]) {
    t.strictSame([statusCode, headers['proxy-status'], headers['retry-after']], [
      406, 'messenger; error=proxy_configuration_error; details="reply topic refused"', undefined
    ])
  }
  t.equal(broker.published.length, 0)
  t.equal((await send(app)).statusCode, 200)
  t.equal(log.lines.filter(line => line.includes('the broker refuses the subscription to replies')).length, 1)
})

t.test('does not let callers cut the connection again and again where the broker closes it on the SUBSCRIBE', async t => {
  const { broker, advance, app, log } = await startScriptedApp(t, { ...acknowledging, onSubscribe (_packet, { socket }) { socket.destroy() } })
  t.equal((await send(app, EXAMPLE, WAIT)).headers['proxy-status'], 'messenger; error=destination_unavailable')
  advance(999)
  await app.mqtt.whenConnected()
  t.equal((await send(app)).statusCode, 200)
  const { statusCode, headers } = await send(app, EXAMPLE, WAIT)
  t.strictSame([statusCode, headers['proxy-status']], [406, 'messenger; error=proxy_configuration_error; details="reply topic refused"'])
  t.equal((await send(app)).statusCode, 200, 'the connection is still there')
  t.equal(broker.connections.length, 2)
  t.strictSame(broker.connections[1]?.subscribed, [])
  t.equal(log.lines.filter(line => line.includes('the connection ended on the subscription to replies')).length, 1)
})
