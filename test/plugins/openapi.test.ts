import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { catalogue } from '../../src/errors.js'
import { startApp } from '../helpers/app.js'
import { createFolder } from '../helpers/program.js'
import { shellEnv } from '../helpers/shell.js'

const run = promisify(execFile)
const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

t.test('serves an OpenAPI 3.1 document that redocly and spectral accept', async t => {
  const app = await startApp(t, NOWHERE)
  const response = await app.inject('/openapi.json')
  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.json().openapi, '3.1.0')
  const dir = createFolder(t)
  const file = join(dir, 'openapi.json')
  const rules = join(dir, 'spectral.yaml')
  writeFileSync(file, response.body)
  writeFileSync(rules, 'extends: ["spectral:oas"]\n')
  const env = { ...shellEnv, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  await t.resolves(run('node_modules/.bin/redocly', ['lint', file], { env }), 'redocly lint')
  await t.resolves(run('node_modules/.bin/spectral', ['lint', file, '--ruleset', rules, '--fail-severity', 'warn'], { env }), 'spectral lint')
})

t.test('documents every answer of the send route, each problem with an example and its headers', async t => {
  const app = await startApp(t, NOWHERE)
  const { paths, components } = (await app.inject('/openapi.json')).json()
  const { responses, security, requestBody } = paths['/messaging/send'].post
  t.strictSame(Object.keys(responses), ['200', '400', '401', '403', '404', '406', '408', '409', '413', '415', '422', '429', '431', '500', '503', '504'])
  t.strictSame(security, [{ bearer: [] }])
  t.equal(components.securitySchemes.bearer.scheme, 'bearer')
  t.strictSame(Object.keys(requestBody.content), ['application/json'])
  t.strictSame(responses[200].content['application/json'].example, {
    detail: 'Send `push_down` to topic `devices/26372637216372637126376237/commands`'
  })
  t.strictSame(responses[406].content['application/json'].example, { detail: 'Somthing went wrong' })
  t.ok('Proxy-Status' in responses[406].headers && 'Retry-After' in responses[406].headers)
  t.ok('Proxy-Status' in responses[504].headers)
  t.ok('WWW-Authenticate' in responses[401].headers && 'WWW-Authenticate' in responses[403].headers)
  const documented = new Set<string>()
  for (const response of Object.values<{ headers: object, content: Record<string, { examples?: object }> }>(responses)) {
    t.ok('X-Request-Id' in response.headers)
    for (const name of Object.keys(response.content['application/problem+json']?.examples ?? {})) documented.add(name)
  }
  // Of other routes, of no route at all, or heard by nobody.
  const elsewhere = ['not_found', 'method_not_allowed', 'broker_unavailable', 'caller_gone']
  t.strictSame([...documented, ...elsewhere].sort(), Object.keys(catalogue).sort())
})

t.test('documents the bulk route: its commands are those of the send route, and one answer has all results', async t => {
  const app = await startApp(t, { ...NOWHERE, MICRO_OPS: 'push_down,push_up' })
  const { paths } = (await app.inject('/openapi.json')).json()
  const { responses, security, requestBody } = paths['/messaging/send/bulk'].post
  t.strictSame(Object.keys(responses), ['200', '400', '401', '403', '408', '409', '413', '415', '422', '429', '431', '500', '503'])
  t.strictSame(security, [{ bearer: [] }])
  const { commands } = requestBody.content['application/json'].schema.properties
  t.strictSame([commands.minItems, commands.maxItems], [1, 1000])
  t.strictSame(commands.items, paths['/messaging/send'].post.requestBody.content['application/json'].schema)
  const { example } = responses[200].content['application/json']
  t.strictSame(example.results.map(({ status }: { status: number }) => status), [200, 406, 400])
})

t.test('says that probes need no token', async t => {
  const app = await startApp(t, NOWHERE)
  const { paths } = (await app.inject('/openapi.json')).json()
  t.strictSame(Object.keys(paths), ['/health/live', '/health/ready', '/messaging/send', '/messaging/send/bulk'])
  t.strictSame(paths['/health/live'].get.security, [])
  t.strictSame(paths['/health/ready'].get.security, [])
})

t.test('names the operations of MICRO_OPS', async t => {
  const app = await startApp(t, { ...NOWHERE, MICRO_OPS: 'push_down,push_up' })
  const { paths } = (await app.inject('/openapi.json')).json()
  const { micro_op: microOp } = paths['/messaging/send'].post.requestBody.content['application/json'].schema.properties
  t.strictSame(microOp.enum, ['push_down', 'push_up'])
})
