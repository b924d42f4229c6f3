import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { EXAMPLE, IMEI, SECRET, send, startApp, startConnectedApp, token, TOPIC } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { COMPLETE } from '../helpers/config.js'
import { subscribe } from '../helpers/subscriber.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }
const TENANTS = { MQTT_TOPIC: 'tenants/{claims.tenant}/devices/{imei}/commands' }
const as = async (claims: Readonly<Record<string, unknown>>) => ({ authorization: `Bearer ${await token(claims)}` })

/** The 403 that names what the token lacks. */
const lacking = (detail: string) => ({ title: 'Insufficient authorization', status: 403, code: 'insufficient_authorization', detail })

t.test('requires JWT_SCOPE in scope or scp, after the body was found valid', async t => {
  const app = await startApp(t, { ...NOWHERE, JWT_SCOPE: 'messaging:send' })
  const status = async (more: object, body: unknown = EXAMPLE) => await send(app, body, { authorization: `Bearer ${await token({ ...more })}` })
  for (const more of [{ scope: 'a messaging:send' }, { scp: 'messaging:send' }, { scp: ['a', 'messaging:send'] }]) {
    t.equal((await status(more)).statusCode, 406, JSON.stringify(more))
  }
  for (const more of [{}, { scope: 'messaging:sender' }, { scope: ['x'] }, { scp: [] }, { scp: 7 }]) {
    const response = await status(more)
    t.equal(response.statusCode, 403, JSON.stringify(more))
    t.equal(response.headers['www-authenticate'], 'Bearer realm="messenger", error="insufficient_scope", scope="messaging:send"')
    t.equal(response.json().code, 'insufficient_scope')
  }
  t.equal((await status({}, {})).statusCode, 400, 'an invalid body comes first')
})

t.test('requires JWT_SCOPE also on a route without a command, unless it is public', async t => {
  const app = await buildApp(loadConfig({ JWT_SECRET: SECRET, ...NOWHERE, JWT_SCOPE: 'read' }))
  t.teardown(() => app.close())
  app.get('/private', async () => ({}))
  const status = async (claims: object) => (await app.inject({ url: '/private', headers: await as({ ...claims }) })).statusCode
  t.strictSame([await status({ scope: 'read' }), await status({ scope: 'write' })], [200, 403])
  t.equal((await app.inject('/health/live')).statusCode, 200)
})

t.test('lets a token send only what it allows: one tenant, one device, one operation', async t => {
  const broker = await startBroker(t)
  const everything = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, { ...TENANTS, AUTHORIZATION_DETAILS: 'required' })
  const details = [{ type: 'messaging', identifier: IMEI, actions: ['push_down'] }]
  const caller = await as({ tenant: 'a', authorization_details: details })

  const accepted = await send(app, EXAMPLE, caller)
  t.equal(accepted.statusCode, 200)
  t.equal(accepted.body, `{"detail":"Send \`push_down\` to topic \`tenants/a/${TOPIC}\`"}`)
  await everything.count(1)

  const refusals: Array<[body: object, why: string]> = [
    [{ ...EXAMPLE, imei: '1' }, 'for identifier 1 and action push_down'],
    [{ ...EXAMPLE, micro_op: 'push_up' }, `for identifier ${IMEI} and action push_up`],
    [{ imei: '1', micro_op: 'push_up', ttl: 5 }, 'for identifier 1 and action push_up']
  ]
  for (const [body, why] of refusals) {
    const refused = await send(app, body, caller)
    const detail = `The access token lacks authorization_details of type messaging ${why}`
    t.equal(refused.statusCode, 403)
    t.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.equal(refused.headers['www-authenticate'], `Bearer realm="messenger", error="insufficient_scope", error_description="${detail}"`)
    t.strictSame(refused.json(), lacking(detail))
  }
  const other = await send(app, EXAMPLE, await as({ tenant: 'b', authorization_details: details }))
  t.equal(other.json().detail, `Send \`push_down\` to topic \`tenants/b/${TOPIC}\``, 'another tenant has another topic, and no way to this one')
  const none = await send(app, EXAMPLE, await as({ tenant: 'a/../b', authorization_details: details }))
  t.equal(none.statusCode, 403)

  await everything.count(2)
  t.strictSame(everything.received.map(packet => packet.topic), [`tenants/a/${TOPIC}`, `tenants/b/${TOPIC}`])
})

t.test('names the claim that the topic needs and the token lacks, and publishes nothing', async t => {
  const broker = await startBroker(t)
  const everything = await subscribe(t, broker.url, '#')
  const app = await startConnectedApp(t, broker.url, TENANTS)
  const detail = 'The access token lacks the claim tenant, a text of 1-64 of 0-9 A-Z a-z _ . -'
  for (const tenant of [undefined, null, 7, '', '+', '#', 'a/b', '$SYS', ['a'], 'x'.repeat(65)]) {
    const refused = await send(app, EXAMPLE, await as({ tenant }))
    t.equal(refused.statusCode, 403, JSON.stringify(tenant))
    t.equal(refused.headers['www-authenticate'], `Bearer realm="messenger", error="insufficient_scope", error_description="${detail}"`)
    t.strictSame(refused.json(), lacking(detail))
  }
  t.equal((await send(app, EXAMPLE, await as({ tenant: 'x.Y_z-9' }))).statusCode, 200)
  await everything.count(1)
  t.strictSame(everything.received.map(packet => packet.topic), [`tenants/x.Y_z-9/${TOPIC}`])
})

t.test('narrows a token by authorization_details also where they are not required, and lets one without send everything', async t => {
  const app = await startApp(t, NOWHERE)
  const status = async (details: unknown, body: object = EXAMPLE) => (await send(app, body, await as({ authorization_details: details }))).statusCode
  t.equal(await status(undefined), 406)
  t.equal(await status([{ type: 'messaging' }]), 406)
  t.equal(await status([{ type: 'messaging', identifier: '1' }, { type: 'messaging', actions: ['push_up', 'push_down'] }]), 406)
  for (const details of [null, [], {}, 'messaging', [{ type: 'payment' }], { type: 'messaging' }, [{ type: 'messaging', locations: [] }]]) {
    t.equal(await status(details), 403, JSON.stringify(details))
  }
})

t.test('refuses a token without authorization_details where they are required', async t => {
  const app = await startApp(t, { ...NOWHERE, AUTHORIZATION_DETAILS: 'required' })
  const refused = await send(app, EXAMPLE)
  t.equal(refused.statusCode, 403)
  t.equal(refused.headers['www-authenticate'],
    'Bearer realm="messenger", error="insufficient_scope", error_description="The access token lacks the claim authorization_details"')
  t.strictSame(refused.json(), lacking('The access token lacks the claim authorization_details'))
  t.equal((await send(app, EXAMPLE, await as({ authorization_details: [{ type: 'messaging' }] }))).statusCode, 406)
})

t.test('asks for the scope before the claims of the topic, and for those before the details', async t => {
  const app = await startApp(t, { ...NOWHERE, ...TENANTS, JWT_SCOPE: 'send', AUTHORIZATION_DETAILS: 'required' })
  const detail = async (claims: object) => (await send(app, EXAMPLE, await as({ ...claims }))).json().detail
  t.equal(await detail({}), 'The access token lacks the scope send')
  t.equal(await detail({ scope: 'send' }), 'The access token lacks the claim tenant, a text of 1-64 of 0-9 A-Z a-z _ . -')
  t.equal(await detail({ scope: 'send', tenant: 'a' }), 'The access token lacks the claim authorization_details')
  t.equal(await detail({ scope: 'send', tenant: 'a', authorization_details: [{ type: 'messaging' }] }), 'Somthing went wrong')
  t.equal((await send(app, { imei: 7 }, await as({}))).statusCode, 400, 'an invalid body comes first')
})

t.test('repeats no answer to a token that does not allow the command', async t => {
  const broker = await startBroker(t)
  const app = await startConnectedApp(t, broker.url)
  const status = async (details: unknown) =>
    (await send(app, EXAMPLE, { ...await as({ authorization_details: details }), 'idempotency-key': 'k' })).statusCode
  t.strictSame([await status(undefined), await status([{ type: 'messaging', actions: [] }]), await status([{ type: 'messaging' }])], [200, 403, 200])
})

t.test('warns in production where nothing narrows a token', async t => {
  const warnings = async (env: Readonly<Record<string, string>>) => {
    const lines: string[] = []
    const app = await buildApp(loadConfig({ ...COMPLETE, ...env }), { logger: { level: 'warn', stream: { write (line: string) { lines.push(line) } } } })
    await app.close()
    return lines.map(line => JSON.parse(line).msg)
  }
  const production = { NODE_ENV: 'production' }
  t.strictSame(await warnings(production), ['every valid token may send every command to every device: ' +
    'JWT_SCOPE, AUTHORIZATION_DETAILS=required or a claim in MQTT_TOPIC would narrow that'])
  for (const env of [{}, { ...production, JWT_SCOPE: 'send' }, { ...production, AUTHORIZATION_DETAILS: 'required' }, { ...production, ...TENANTS }]) {
    t.strictSame(await warnings(env), [], JSON.stringify(env))
  }
})
