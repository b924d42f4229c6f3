import t from 'tap'
import { EXAMPLE, send, startApp, startConnectedApp } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { subscribe } from '../helpers/subscriber.js'

t.test('answers 400 to what is not JSON, saying where, and a comment by name', async t => {
  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1' })
  const cases: Array<[string, string]> = [
    ['', 'The body is empty'],
    [' \n', 'The body is empty'],
    ['{"imei": "1" // the device\n}', 'JSON has no comments: remove the one in line 1, column 14'],
    ['{\n  /* the device */\n  "imei": "1"\n}', 'JSON has no comments: remove the one in line 2, column 3'],
    ['{"imei": "1",}', 'The body is not JSON: it goes wrong in line 1, column 14'],
    ['{\n  "imei": "1"\n  "micro_op": "a"\n}', 'The body is not JSON: it goes wrong in line 3, column 3'],
    ["{'imei': '1'}", 'The body is not JSON: it goes wrong in line 1, column 2'],
    ['{"imei": "1"', 'The body is not JSON: it goes wrong in line 1, column 13'],
    ['{"imei": 01}', 'The body is not JSON: it goes wrong in line 1, column 11'],
    ['imei=1&micro_op=a', 'The body is not JSON: it goes wrong in line 1, column 1'],
    ['\ufeff{}', 'The body is not JSON: it goes wrong in line 1, column 1']
  ]
  for (const [body, detail] of cases) {
    const response = await send(app, body)
    t.equal(response.statusCode, 400, body)
    t.strictSame(response.json(), { title: 'Invalid JSON', status: 400, code: 'invalid_json', detail }, body)
  }
})

t.test('answers 400 to what is nested too deeply to say where it goes wrong', async t => {
  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1' })
  const cases: Array<[string, number]> = [['['.repeat(16_000), 101], ['{"a":'.repeat(3_200), 501], [`{"a":${'['.repeat(8_000)}"`, 105]]
  for (const [body, column] of cases) {
    const response = await send(app, body)
    t.equal(response.statusCode, 400)
    const detail = `The body is not JSON, and cannot be read to where it goes wrong: it has over 100 levels in line 1, column ${column}`
    t.strictSame(response.json(), { title: 'Invalid JSON', status: 400, code: 'invalid_json', detail })
  }
  const many = await send(app, `${'{"a":'.repeat(99)}${'[]'.repeat(4_000)}`)
  t.equal(many.json().detail, 'The body is not JSON: it goes wrong in line 1, column 498', 'one after the other is not deep')
})

t.test('takes what is deep and JSON for what it is: a body that does not fit', async t => {
  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1' })
  const response = await send(app, `${'['.repeat(8_000)}${']'.repeat(8_000)}`)
  t.equal(response.statusCode, 400)
  t.equal(response.json().code, 'invalid_body')
})

t.test('answers 400 to a member that is there twice, by name and place, and publishes nothing', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url)
  const cases: Array<[string, string]> = [
    ['{"imei":"1","imei":"2","micro_op":"a"}', 'The member imei is there twice, again in line 1, column 13'],
    ['{"imei":"1","micro_op":"a",\n"\\u0069mei":"1"}', 'The member imei is there twice, again in line 2, column 1'],
    ['{"imei":"1","micro_op":"a","ttl":1,"ttl":1}', 'The member ttl is there twice, again in line 1, column 36']
  ]
  for (const [body, detail] of cases) {
    const response = await send(app, body)
    t.equal(response.statusCode, 400, body)
    t.strictSame(response.json(), { title: 'Invalid JSON', status: 400, code: 'invalid_json', detail }, body)
  }
  t.equal((await send(app, '{ "imei" : "3",\n"micro_op" : "push_down" }')).statusCode, 200)
  await device.count(1)
  t.strictSame(device.received.map(({ topic }) => topic), ['devices/3/commands'])
})

t.test('answers 415 to a body with a Content-Encoding, before it is read and after the token', async t => {
  const app = await startApp(t, { MQTT_URL: 'mqtt://127.0.0.1:1' })
  for (const encoding of ['gzip', 'br', 'GZIP', 'identity, gzip']) {
    for (const body of [EXAMPLE, 'x'.repeat(20_000)]) {
      const response = await send(app, body, { 'content-encoding': encoding })
      t.equal(response.statusCode, 415, encoding)
      t.equal(response.headers['accept-encoding'], 'identity')
      t.strictSame(response.json(), {
        title: 'Unsupported media type', status: 415, code: 'unsupported_media_type', detail: 'Send the body without a Content-Encoding'
      })
    }
  }
  t.equal((await send(app, EXAMPLE, { 'content-encoding': 'gzip', authorization: '' })).statusCode, 401)
  t.equal((await send(app, EXAMPLE, { 'content-encoding': 'Identity' })).statusCode, 406)
  t.equal((await app.inject({ method: 'GET', url: '/health/live', headers: { 'content-encoding': 'gzip' } })).statusCode, 200)
})
