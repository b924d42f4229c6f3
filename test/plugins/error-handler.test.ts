import type { AddressInfo } from 'node:net'
import t from 'tap'
import { catalogue, type ProblemCode } from '../../src/errors.js'
import { EXAMPLE, IMEI, send, startApp, startConnectedApp, token } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { openRaw, parseResponse } from '../helpers/raw-http.js'
import { subscribe } from '../helpers/subscriber.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const problem = (code: ProblemCode, more: object = {}) => {
  const { title, status, detail } = catalogue[code]
  return { title, status, code, detail, ...more }
}

t.test('answers 415 to anything but application/json', async t => {
  const app = await startApp(t, NOWHERE)
  const body = JSON.stringify({ imei: IMEI, micro_op: 'push_down' })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'text/json', 'x']) {
    const response = await send(app, body, { 'content-type': type })
    t.equal(response.statusCode, 415, type)
    t.strictSame(response.json(), problem('unsupported_media_type'))
  }
  t.equal((await send(app, body, { 'content-type': 'application/json; charset=utf-8' })).statusCode, 406, 'a parameter is no other type')
})

t.test('answers 413 to a body over 16 KiB, and 415 first', async t => {
  const app = await startApp(t, NOWHERE)
  const body = (bytes: number) => `{"imei":"1","micro_op":"a"${' '.repeat(bytes - 27)}}`
  t.equal((await send(app, body(16_384))).statusCode, 406)
  const response = await send(app, body(16_385))
  t.equal(response.statusCode, 413)
  t.strictSame(response.json(), problem('payload_too_large'))
  t.equal((await send(app, body(16_385), { 'content-type': 'text/plain' })).statusCode, 415)
})

t.test('answers 400 to a body that does not fit, with every fault and its place', async t => {
  const app = await startApp(t, NOWHERE)
  const imei = 'must be 1-64 of `0-9 A-Z a-z _ -`, in quotes: a JSON number above 2^53 would name another device'
  const microOp = 'must be 1-64 of `0-9 A-Z a-z _ . -`'
  const ttl = 'must be a whole number of seconds, 1-86400, counted from receipt: after it the broker must not start to deliver the command'
  const unknown = 'is not a known member; nothing may be sent that is not understood'
  const ok = { imei: '1', micro_op: 'a' }
  const cases: Array<[unknown, object[]]> = [
    [{}, [{ pointer: '/imei', detail: 'is required' }, { pointer: '/micro_op', detail: 'is required' }]],
    [{ ...ok, imei: 2 ** 60 }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: '' }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: 'a/b' }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: 'a\n' }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: '+' }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: 'x'.repeat(65) }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: null }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, imei: ['1'] }, [{ pointer: '/imei', detail: imei }]],
    [{ ...ok, micro_op: 'push down' }, [{ pointer: '/micro_op', detail: microOp }]],
    [{ ...ok, micro_op: true }, [{ pointer: '/micro_op', detail: microOp }]],
    [{ ...ok, ttl: 0 }, [{ pointer: '/ttl', detail: ttl }]],
    [{ ...ok, ttl: 86_401 }, [{ pointer: '/ttl', detail: ttl }]],
    [{ ...ok, ttl: 1.5 }, [{ pointer: '/ttl', detail: ttl }]],
    [{ ...ok, ttl: 0.5 }, [{ pointer: '/ttl', detail: ttl }]],
    [{ ...ok, ttl: '30' }, [{ pointer: '/ttl', detail: ttl }]],
    [{ ...ok, 'a~/b': 1 }, [{ pointer: '/a~0~1b', detail: unknown }]],
    [[], [{ pointer: '', detail: 'must be object' }]],
    [null, [{ pointer: '', detail: 'must be object' }]]
  ]
  for (const [body, errors] of cases) {
    const response = await send(app, body)
    t.equal(response.statusCode, 400, JSON.stringify(body))
    t.strictSame(response.json(), problem('invalid_body', { errors }), JSON.stringify(body))
  }
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const response = await send(app, `{"imei":"1","micro_op":"a","${name}":{"ttl":1}}`)
    t.strictSame(response.json(), problem('invalid_body', { errors: [{ pointer: `/${name}`, detail: unknown }] }))
  }
  t.equal((await send(app, { imei: 'A-z_0', micro_op: 'A-z_.0', ttl: 1 })).statusCode, 406)
})

t.test('tells the first ten faults of a body that has many', async t => {
  const app = await startApp(t, NOWHERE)
  const response = await send(app, Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`m${n}`, n])))
  const { errors } = response.json()
  t.equal(errors.length, 11)
  t.strictSame(errors[10], { pointer: '', detail: 'and 492 faults more' })
})

t.test('answers 400 to a POST without a body', async t => {
  const app = await startApp(t, NOWHERE)
  const response = await app.inject({ method: 'POST', url: '/messaging/send', headers: { authorization: `Bearer ${await token()}` } })
  t.equal(response.statusCode, 400)
  t.strictSame(response.json(), problem('invalid_body', { errors: [{ pointer: '', detail: 'must be object' }] }))
})

t.test('answers every request that stands behind a wrong body, so that none is done without an answer', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const authorization = `Authorization: Bearer ${await token()}`
  const post = (body: string, ...more: string[]) => [
    'POST /messaging/send HTTP/1.1', 'Host: a', authorization, 'Content-Type: application/json', `Content-Length: ${body.length}`, ...more, '', body
  ].join('\r\n')
  for (const [body, status] of [['{', 400], ['', 400], [' '.repeat(20_000), 413]] as const) {
    const raw = await openRaw(t, (app.server.address() as AddressInfo).port)
    raw.write(post(body) + post(JSON.stringify(EXAMPLE)) + post('{', 'Connection: close'))
    await raw.ended()
    const answers = raw.text.split(/(?=HTTP\/1\.1 )/)
    t.strictSame(answers.map(answer => Number(answer.slice(9, 12))), [status, 200, 400])
    // The last one was asked to close, and says so.
    t.strictSame(answers.map(answer => parseResponse(answer).headers.connection), ['keep-alive', 'keep-alive', 'close'])
  }
  await device.count(3)
  t.equal(device.received.length, 3)
})
