import t from 'tap'
import { startApp } from '../helpers/app.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

t.test('is live without a broker, and ready only with one', async t => {
  const broker = await startScriptedBroker(t, { onConnect () {} })
  const app = await startApp(t, { MQTT_URL: broker.url })
  const live = await app.inject('/health/live')
  t.equal(live.statusCode, 200)
  t.equal(live.body, '{"status":"live"}')

  const unready = await app.inject('/health/ready')
  t.equal(unready.statusCode, 503)
  t.equal(unready.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(unready.headers['retry-after'], '2')
  t.strictSame(unready.json(), {
    title: 'Broker unavailable', status: 503, code: 'broker_unavailable', detail: 'There is no connection to an MQTT broker'
  })

  await until(() => broker.connections.length === 1, 'the CONNECT')
  for (const connection of broker.connections) broker.accept(connection)
  await app.mqtt.whenConnected()
  const ready = await app.inject('/health/ready')
  t.equal(ready.statusCode, 200)
  t.equal(ready.body, '{"status":"ready"}')
  t.equal((await app.inject({ method: 'HEAD', url: '/health/ready' })).statusCode, 200)

  broker.connections[0]?.socket.destroy()
  await until(() => !app.mqtt.isConnected, 'the loss of the connection')
  t.equal((await app.inject('/health/ready')).statusCode, 503)
  t.equal((await app.inject('/health/live')).statusCode, 200)
})
