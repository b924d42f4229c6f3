import t from 'tap'
import { REPLY_RESULTS } from '../../src/metrics/reply-metrics.js'
import { EXAMPLE, send } from '../helpers/app.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { startMeasuredApp } from '../helpers/measured-app.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

t.test('counts replies by what became of them, callers that wait, and each command once', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const { clock, advance } = createFakeClock()
  const { app, scrape } = await startMeasuredApp(t, broker.url, {}, { clock })
  await app.mqtt.whenConnected()
  const repliesOf = async () => Object.values((await scrape()).seriesOf('messenger_replies_total'))
  t.strictSame(Object.keys((await scrape()).seriesOf('messenger_replies_total')).sort(), REPLY_RESULTS.map(result => `result=${result}`).sort())
  t.strictSame(await repliesOf(), REPLY_RESULTS.map(() => 0))

  const answered = send(app, EXAMPLE, { prefer: 'wait=10' })
  const silent = send(app, EXAMPLE, { prefer: 'wait=10' })
  await until(() => broker.published.length === 2 && app.mqtt.inFlight === 0, 'the PUBACKs')
  t.equal((await scrape()).value('messenger_waiters'), 2)
  const [connection] = broker.connections
  const [first, second] = broker.published
  const topic = String(first?.properties?.responseTopic)
  connection?.deliver(topic.replace(/[^/]*$/, 'other'), '1', first?.properties?.correlationData)
  connection?.deliver(topic, '1', Buffer.from('no such id'))
  connection?.deliver(topic, 'x'.repeat(16_385), first?.properties?.correlationData)
  connection?.deliver(topic, 'neither')
  connection?.reply(first, '1')
  t.equal((await answered).statusCode, 200)
  connection?.reply(first, '1')
  advance(10_000)
  t.equal((await silent).statusCode, 504)
  connection?.reply(second, '1')
  await until(() => broker.connections.length === 1, 'one connection')
  let counted = await repliesOf()
  while (counted.reduce((sum, n) => sum + n) < 7) counted = await repliesOf()
  t.strictSame(counted, REPLY_RESULTS.map(() => 1))
  const scraped = await scrape()
  t.equal(scraped.value('messenger_waiters'), 0)
  t.strictSame(scraped.commands, { 'accepted/': 2 })
  t.equal(scraped.value('messenger_late_pubacks_total'), 0)
})
