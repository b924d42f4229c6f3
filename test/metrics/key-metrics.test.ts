import t from 'tap'
import { EXAMPLE, send } from '../helpers/app.js'
import { startMeasuredApp } from '../helpers/measured-app.js'
import { freePort } from '../helpers/ports.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

const withKey = (key: string) => ({ 'idempotency-key': key })
const NOTHING = {
  'result=first': 0, 'result=recorded': 0, 'result=running': 0, 'result=mismatch': 0, 'result=lost': 0, 'result=full': 0, 'result=unavailable': 0
}

t.test('counts what became of each key, and no request without one', async t => {
  const broker = await startScriptedBroker(t)
  const { app, scrape } = await startMeasuredApp(t, broker.url, { IDEMPOTENCY_MAX_RECORDS: '1' })
  await app.mqtt.whenConnected()
  t.strictSame((await scrape()).seriesOf('messenger_idempotency_keys_total'), NOTHING)
  const first = send(app, EXAMPLE, withKey('k'))
  await until(() => broker.published.length === 1, 'the publish')
  t.equal((await send(app, EXAMPLE, withKey('k'))).statusCode, 409)
  broker.script.onPublish = ({ messageId }, connection) => { connection.puback(messageId) }
  broker.connections[0]?.puback(broker.published[0]?.messageId)
  t.equal((await first).statusCode, 200)
  for (const status of [200, 200]) t.equal((await send(app, EXAMPLE, withKey('k'))).statusCode, status)
  t.equal((await send(app, { ...EXAMPLE, ttl: 1 }, withKey('k'))).statusCode, 422)
  t.equal((await send(app, EXAMPLE, withKey('other'))).statusCode, 503)
  t.equal((await send(app, EXAMPLE, withKey('no key'))).statusCode, 400)
  t.equal((await send(app)).statusCode, 200)
  t.strictSame((await scrape()).seriesOf('messenger_idempotency_keys_total'), {
    ...NOTHING, 'result=first': 1, 'result=recorded': 2, 'result=running': 1, 'result=mismatch': 1, 'result=full': 1
  })
})

t.test('counts a key that could not be claimed', async t => {
  const { app, scrape } = await startMeasuredApp(t, 'mqtt://127.0.0.1:1', { REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
  t.equal((await send(app, EXAMPLE, withKey('k'))).statusCode, 503)
  t.strictSame((await scrape()).seriesOf('messenger_idempotency_keys_total'), { ...NOTHING, 'result=unavailable': 1 })
})
