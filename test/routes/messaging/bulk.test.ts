import t from 'tap'
import { post, send, sendBulk, startApp, startConnectedApp, token, type App } from '../../helpers/app.js'
import { startBroker } from '../../helpers/broker.js'
import { startCountingTap } from '../../helpers/counting-tap.js'
import { commandsFor } from '../../helpers/commands.js'
import { createLog } from '../../helpers/log.js'
import { skipWithoutMosquitto, startMosquitto } from '../../helpers/mosquitto.js'
import { startScriptedApp } from '../../helpers/scripted-app.js'
import { acknowledging, startScriptedBroker } from '../../helpers/scripted-broker.js'
import { subscribe } from '../../helpers/subscriber.js'

const URL = '/messaging/send/bulk'
const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const NOT_SENT = { status: 406, detail: 'Somthing went wrong' }
const UNKNOWN = {
  status: 504,
  detail: 'The command was sent to the broker, which did not acknowledge it in time. It may or may not reach the device until its ttl is over',
  code: 'delivery_unknown'
}
const accepted = (imei: string, microOp = 'push_down') => ({ imei, status: 200, detail: `Send \`${microOp}\` to topic \`devices/${imei}/commands\`` })

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

t.test('answers 200 to 1,000 commands where the broker takes 20 at a time, and to another caller meanwhile', async t => {
  const broker = await startBroker(t)
  const link = await startCountingTap(t, broker.url)
  const device = await subscribe(t, broker.url, 'devices/+/commands')
  const app = await startConnectedApp(t, link.url, { MQTT_MAX_INFLIGHT: '20', MQTT_MAX_QUEUE: '1' })
  const commands = commandsFor(1000)
  const bulk = sendBulk(app, commands)
  await device.count(1)
  t.equal((await send(app, { imei: 'other', micro_op: 'push_down' })).statusCode, 200)
  t.ok(device.received.length < 1000, `after ${device.received.length} of the others`)
  t.strictSame((await bulk).json(), { results: commands.map(({ imei, micro_op: microOp }) => accepted(imei, microOp)) })
  await device.count(1001)
  t.equal(link.most, 20)
})

t.test('refuses what is no list of 1-1000 commands, and publishes nothing', async t => {
  const broker = await startScriptedBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const list = 'must be a list of 1-1000 commands; one that is not valid is answered in its place and keeps no other from being sent'
  const cases: Array<[unknown, object[]]> = [
    [{}, [{ pointer: '/commands', detail: 'is required' }]],
    [{ commands: [] }, [{ pointer: '/commands', detail: list }]],
    [{ commands: commandsFor(1001) }, [{ pointer: '/commands', detail: list }]],
    [{ commands: Array(100_000).fill(0) }, [{ pointer: '/commands', detail: list }]],
    [{ commands: { 0: 'a' } }, [{ pointer: '/commands', detail: list }]],
    [{ commands: commandsFor(1), ttl: 5 }, [{ pointer: '/ttl', detail: 'is not a known member; nothing may be sent that is not understood' }]],
    [commandsFor(1), [{ pointer: '', detail: 'must be object' }]]
  ]
  for (const [body, errors] of cases) {
    const answer = await post(app, URL, body, { 'idempotency-key': 'a, b' })
    t.equal(answer.statusCode, 400)
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.strictSame(answer.json(), { title: 'Invalid body', status: 400, code: 'invalid_body', detail: 'The body does not fit its schema', errors })
  }
  t.equal((await sendBulk(app, commandsFor(1), { 'idempotency-key': 'a, b' })).json().code, 'invalid_idempotency_key')
  const twice = await post(app, URL, '{"commands":[{"imei":"1","imei":"2","micro_op":"a"},{"imei":"3","micro_op":"a"}]}')
  t.strictSame([twice.statusCode, twice.json().code], [400, 'invalid_json'], 'readers disagree about a name that is there twice: the whole body is none')
  const [large] = commandsFor(1)
  t.equal((await post(app, URL, ' '.repeat(256 * 1024 - 100) + JSON.stringify({ commands: [{}] }))).statusCode, 200, 'just under 256 KiB')
  t.equal((await post(app, URL, ' '.repeat(256 * 1024) + JSON.stringify({ commands: [large] }))).json().code, 'payload_too_large')
  t.equal((await app.inject({ method: 'GET', url: URL })).headers.allow, 'POST')
  t.equal(broker.published.length, 0)
})

t.test('answers 400 in its place to a command that is not valid, whatever it is, with its imei where that is', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url, { MICRO_OPS: 'push_down' })
  const bad: Array<[unknown, string | null, string]> = [
    [null, null, 'must be object'],
    [7, null, 'must be object'],
    [[], null, 'must be object'],
    [{}, null, '/imei is required; /micro_op is required'],
    [{ imei: 1, micro_op: 'push_down' }, null, '/imei must be 1-64 of `0-9 A-Z a-z _ -`, in quotes: a JSON number above 2^53 would name another device'],
    [{ imei: 'a/b', micro_op: 'push_down' }, null, '/imei must be 1-64 of `0-9 A-Z a-z _ -`, in quotes: a JSON number above 2^53 would name another device'],
    [{ imei: 'd1', micro_op: 'push_up' }, 'd1', '/micro_op must be one of push_down'],
    [{ imei: 'd1', micro_op: 'push_down', ttl: '5', x: 1 }, 'd1',
      '/x is not a known member; nothing may be sent that is not understood; /ttl must be ' +
      'a whole number of seconds, 1-86400, counted from receipt: after it the broker must not start to deliver the command']
  ]
  const good = { imei: 'd2', micro_op: 'push_down' }
  const answer = await sendBulk(app, [...bad.map(([command]) => command), good])
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json().results, [
    ...bad.map(([, imei, told]) => ({ imei, status: 400, detail: `The command does not fit its schema: ${told}`, code: 'invalid_body' })),
    accepted('d2')
  ])
  t.equal((await sendBulk(app, [{}, {}])).statusCode, 200, 'also where all of them fail')
  t.strictSame(broker.published.map(({ topic }) => topic), ['devices/d2/commands'])
})

t.test('gives each device its own id and ttl, and all of them the request', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const app = await startConnectedApp(t, broker.url, { COMMAND_TTL_S: '77' })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const answer = await sendBulk(app, [{ imei: '1', micro_op: 'a' }, { imei: '1', micro_op: 'a', ttl: 5 }], { 'x-request-id': 'r1', traceparent, prefer: 'wait=5' })
  t.equal(answer.headers['x-request-id'], 'r1')
  t.equal(answer.headers['preference-applied'], undefined, 'a wait is ignored')
  const told = broker.published.map(({ properties }) => ({ expiry: properties?.messageExpiryInterval, ...properties?.userProperties }))
  t.strictSame(told.map(({ expiry }) => expiry), [77, 5])
  t.strictSame(told.map(properties => 'request_id' in properties && properties.request_id), ['r1', 'r1'])
  t.strictSame(told.map(properties => 'traceparent' in properties && properties.traceparent), [traceparent, traceparent])
  t.equal(new Set(told.map(properties => 'id' in properties && properties.id)).size, 2)
})

t.test('answers 406 to every command while there is no broker', async t => {
  const app = await startApp(t, NOWHERE)
  const answer = await sendBulk(app, commandsFor(1000))
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { results: commandsFor(1000).map(({ imei }) => ({ imei, ...NOT_SENT })) })
})

t.test('answers 406 to what the broker refuses, and 200 to the rest', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t, {
    config: ['allow_anonymous true', 'acl_file {dir}/acl'],
    files: { acl: 'topic read #\ntopic write devices/d1/commands\ntopic write devices/d3/commands\n' }
  })
  const device = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url)
  const answer = await sendBulk(app, commandsFor(5))
  t.strictSame(answer.json().results, ['d0', 'd1', 'd2', 'd3', 'd4'].map((imei, n) => n % 2 === 1 ? accepted(imei, `op_${n}`) : { imei, ...NOT_SENT }))
  await device.count(2)
  t.strictSame(device.payloads, ['op_1', 'op_3'])
})

t.test('answers 504 to what filled the window of a broker that has stopped, and 406 to the rest before long', async t => {
  const broker = await startScriptedBroker(t, { properties: { receiveMaximum: 20 } })
  const app = await startConnectedApp(t, broker.url, { MQTT_PUBLISH_TIMEOUT_MS: '200', MQTT_QUEUE_TIMEOUT_MS: '50' })
  const startedMs = performance.now()
  const answer = await sendBulk(app, commandsFor(1000))
  const tookMs = performance.now() - startedMs
  const statuses = answer.json().results.map(({ status }: { status: number }) => status)
  t.strictSame(statuses, [...Array(20).fill(504), ...Array(980).fill(406)])
  t.ok(tookMs < 5000, `${tookMs} ms`)
  t.strictSame(answer.json().results[0], { imei: 'd0', ...UNKNOWN })
  t.equal(broker.published.length, 20)
})

t.test('hands over no command of which the outcome might come after the end of a stop', async t => {
  const statusesWith = async (lastHandOverMs: number) => {
    const { app, broker, advance, published } = await startScriptedApp(t, { properties: { receiveMaximum: 1 } }, { SHUTDOWN_TIMEOUT_MS: String(8_000 + lastHandOverMs) })
    const answer = sendBulk(app, commandsFor(3))
    await published(1)
    app.drain.refuse()
    advance(100)
    const [connection] = broker.connections
    for (let n = 1; n <= broker.published.length; n += 1) {
      connection?.puback(broker.published[n - 1]?.messageId)
      await Promise.race([published(n + 1), answer])
    }
    return (await answer).json().results.map(({ status }: { status: number }) => status)
  }
  t.strictSame(await statusesWith(99), [200, 406, 406])
  t.strictSame(await statusesWith(100), [200, 200, 200])
})

t.test('refuses all at once for what a token lacks for every command, with its challenge', async t => {
  const app = await startApp(t, { ...NOWHERE, JWT_SCOPE: 'send', MQTT_TOPIC: '{claims.tenant}/{imei}' })
  const as = async (claims: object) => await sendBulk(app, commandsFor(2), { authorization: `Bearer ${await token({ ...claims })}` })
  const noScope = await as({ tenant: 'a' })
  t.strictSame([noScope.statusCode, noScope.json().code], [403, 'insufficient_scope'])
  t.equal(noScope.headers['www-authenticate'], 'Bearer realm="messenger", error="insufficient_scope", scope="send"')
  t.equal((await as({ scope: 'send' })).json().code, 'insufficient_authorization')
  t.equal((await as({ scope: 'send', tenant: 'a' })).statusCode, 200)
  t.equal((await sendBulk(app, [{}], { authorization: '' })).statusCode, 401)
})

t.test('answers 504 for each command, not 500, where something breaks after the publish, and 500 before', async t => {
  const broker = await startScriptedBroker(t, acknowledging)
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, {}, { logger: log.logger })
  const breakOnce = (target: App['mqtt'] | App['authorization'], name: string) => {
    const original: unknown = Reflect.get(target, name)
    Reflect.set(target, name, () => {
      Reflect.set(target, name, original)
      throw new Error('broken')
    })
  }
  breakOnce(app.mqtt, 'send')
  const answer = await sendBulk(app, commandsFor(2))
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { results: [{ imei: 'd0', ...UNKNOWN }, { imei: 'd1', ...UNKNOWN }] })
  t.ok(log.lines.some(line => line.includes('the answer to published commands failed')))
  breakOnce(app.authorization, 'assertAny')
  t.equal((await sendBulk(app, commandsFor(2))).json().code, 'internal_error')
})
