import t from 'tap'
import { EXAMPLE, IMEI, post, send, sendBulk, startApp, startConnectedApp, token, TOPIC } from '../../helpers/app.js'
import { startBroker } from '../../helpers/broker.js'
import { startCountingTap } from '../../helpers/counting-tap.js'
import { skipWithoutMosquitto, startMosquitto } from '../../helpers/mosquitto.js'
import { startScriptedBroker } from '../../helpers/scripted-broker.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const NOT_SENT = { status: 406, detail: 'Somthing went wrong' }
const UNKNOWN = {
  status: 504,
  detail: 'The command was sent to the broker, which did not acknowledge it in time. It may or may not reach the device until its ttl is over',
  code: 'delivery_unknown'
}
const accepted = (imei: string, microOp = 'push_down') => ({ imei, status: 200, detail: `Send \`${microOp}\` to topic \`devices/${imei}/commands\`` })
const commandsFor = (count: number, name = 'd') => Array.from({ length: count }, (_, n) => ({ imei: `${name}${n}`, micro_op: `op_${n}` }))

t.test('answers each of 1,000 commands by itself: 970 accepted, 10 bad, 10 forbidden, 10 over the limit of their device', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, { RATE_LIMIT_DEVICE: '5/1h', RATE_LIMIT_CALLER: '990/1h' })
  const commands: unknown[] = []
  const expected: object[] = []
  for (let n = 0; n < 1000; n += 1) {
    if (n % 100 === 7) {
      commands.push({ imei: `bad${n}`, micro_op: 'push down' })
      expected.push({
        imei: `bad${n}`,
        status: 400,
        detail: 'The command does not fit its schema: /micro_op must be 1-64 of `0-9 A-Z a-z _ . -`',
        code: 'invalid_body'
      })
    } else if (n % 100 === 8) {
      commands.push({ imei: `d${n}`, micro_op: 'explode' })
      expected.push({
        imei: `d${n}`,
        status: 403,
        detail: `The access token lacks authorization_details of type messaging for identifier d${n} and action explode`,
        code: 'insufficient_authorization'
      })
    } else if (n % 100 === 9 || (n % 100 === 10 && n < 500)) {
      commands.push({ imei: 'busy', micro_op: 'push_up' })
      expected.push(n < 500 && expected.filter(result => 'imei' in result && result.imei === 'busy').length < 5
        ? accepted('busy', 'push_up')
        : { imei: 'busy', status: 429, detail: 'A device may be sent 5 commands in 3600 s; nothing was published', code: 'rate_limited' })
    } else {
      commands.push({ imei: `d${n}`, micro_op: 'push_down', ttl: 60 })
      expected.push(accepted(`d${n}`))
    }
  }
  const details = { authorization_details: [{ type: 'messaging', actions: ['push_down', 'push_up', 'push down'] }] }
  const answer = await sendBulk(app, commands, { authorization: `Bearer ${await token(details)}` })
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(answer.json(), { results: expected })
  const statuses = expected.map(result => 'status' in result ? result.status : 0)
  t.strictSame([200, 400, 403, 429].map(status => statuses.filter(one => one === status).length), [970, 10, 10, 10])
  t.strictSame([answer.headers['ratelimit-limit'], answer.headers['ratelimit-remaining']], ['5', '0'])

  t.equal((await sendBulk(app, [{ imei: 'last', micro_op: 'last' }])).json().results[0].status, 200, 'its caller is another: no details')
  await device.count(971)
  t.strictSame(device.payloads.filter(payload => payload === 'push_up').length, 5)
  t.equal(device.received.length, 971, 'and no more')
})
