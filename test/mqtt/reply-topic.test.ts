import t from 'tap'
import { compileReplyTopic } from '../../src/mqtt/reply-topic.js'

t.test('builds the topic of each device, and the filter of all of them', async t => {
  const topic = compileReplyTopic('messenger/{instance}/replies/{imei}')
  t.equal(topic.template, 'messenger/{instance}/replies/{imei}')
  t.equal(topic.build('a1b2', '42'), 'messenger/a1b2/replies/42')
  t.equal(topic.filter('a1b2'), 'messenger/a1b2/replies/+')
})

t.test('takes a part of a level for the instance, and a placeholder more than once', async t => {
  const topic = compileReplyTopic('{imei}/gw-{instance}/{imei}')
  t.equal(topic.build('a1', '42'), '42/gw-a1/42')
  t.equal(topic.filter('a1'), '+/gw-a1/+')
})

t.test('takes no template whose replies could not be told apart or subscribed to', async t => {
  const faults = {
    'r/{imei}': 'has no {instance}: every process would get the answers to all others',
    'r/{instance}': 'has no {imei}: a device could answer for another',
    'r/{claims.tenant}/{instance}/{imei}': 'has the unknown placeholder {claims.tenant}; there are {instance} and {imei}',
    'r/{instance}/d{imei}': 'has {imei} and more in one level: it could not be subscribed to for all devices [MQTT-4.7.1-2]',
    '{instance}-{imei}': 'has {imei} and more in one level: it could not be subscribed to for all devices [MQTT-4.7.1-2]',
    'r/+/{instance}/{imei}': 'has a wildcard (+ or #), which a topic to publish to may not have [MQTT-3.3.2-2]',
    '$r/{instance}/{imei}': 'starts with $, which is kept for the broker [MQTT-4.7.2-1]',
    'r}/{instance}/{imei}': 'has a brace outside a placeholder'
  }
  for (const [template, message] of Object.entries(faults)) t.throws(() => compileReplyTopic(template), { name: 'RangeError', message }, template)
})
