import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { insufficientAuthorization, insufficientScope, invalidToken, readBearerToken } from '../src/auth/bearer.js'
import { covers, readGrants } from '../src/auth/grants.js'
import { catalogue, ProblemError } from '../src/errors.js'
import { compileTopic } from '../src/mqtt/topic.js'
import { EXAMPLE, IMEI, send, startConnectedApp, token } from './helpers/app.js'
import { quoted, readShellBlocks, readTable } from './helpers/markdown.js'
import { skipWithoutMosquitto, startMosquitto } from './helpers/mosquitto.js'
import { copyProject, createTranslator, paste, skipWithout } from './helpers/shell.js'
import { subscribe } from './helpers/subscriber.js'
import { thrownBy } from './helpers/thrown-by.js'

const DOCS = readFileSync('docs/auth.md', 'utf8')
const OK_BODY = '{"detail":"Send `push_down` to topic `devices/26372637216372637126376237/commands`"}'

const blocks = readShellBlocks(DOCS)
const [LOOK, MOSQUITTO] = blocks
const [KEYS, START, SEND, NEW_KEY, SEND_BOTH, REMOVE_OLD] = blocks.slice(7)

t.test('docs/auth.md has the commands that these tests run, those that need an issuer, and no others', async t => {
  t.equal(blocks.length, 14)
  t.match(blocks[2], /OIDC_ISSUER=https:\/\/keycloak/)
  t.match(blocks[3], /^TOKEN=\$\(curl -s https:\/\/keycloak/)
  t.match(blocks[4], /OIDC_ISSUER=https:\/\/acme\.eu\.auth0/)
  t.match(blocks[5], /^TOKEN=\$\(curl -s https:\/\/acme\.eu\.auth0/)
  t.strictSame([blocks[6], blocks[13]].map(block => block?.split('=')[0]), ['export MQTT_TOPIC', 'export MQTT_TOPIC'])
})

t.test('docs/auth.md leads to a key of one\'s own, and to the next without refusing a valid token', {
  skip: skipWithout('curl', 'mosquitto', 'openssl')
}, async t => {
  const cwd = copyProject(t)
  const translate = await createTranslator()
  const run = async (block: string | undefined) => {
    const shell = paste(t, translate(block), cwd)
    t.equal(await shell.exit(), 0)
    return shell.output.stdout
  }
  const start = async () => {
    const server = paste(t, translate(START), cwd)
    await server.says('connected to the broker')
    return async () => {
      server.kill('SIGTERM')
      t.equal(await server.exit(), 0)
    }
  }
  await paste(t, translate(MOSQUITTO), cwd).says('running')
  await run(KEYS)
  let stop = await start()
  t.equal(await run(SEND), OK_BODY)
  t.ok(DOCS.includes(`\`\`\`json\n${OK_BODY}\n\`\`\``))
  t.match(await run(`TOKEN=$(cat token-1)\n${LOOK}`), /sub: 'gate-7'/)

  await run(NEW_KEY)
  await stop()
  stop = await start()
  t.equal(await run(SEND_BOTH), '200\n200\n')

  await run(REMOVE_OLD)
  await stop()
  stop = await start()
  t.equal(await run(SEND_BOTH), '401\n200\n')
  await stop()
})

t.test('docs/auth.md has topics that can be set, and builds them of the claims it names', async t => {
  const topics = [...DOCS.matchAll(/MQTT_TOPIC='([^']+)'/g)].map(match => compileTopic(match[1] ?? ''))
  t.strictSame(topics.map(({ claimNames }) => claimNames), [['https://acme.example/tenant'], ['tenant']])
  t.strictSame(topics.map(topic => topic.build('42', { tenant: 'acme', 'https://acme.example/tenant': 'acme' })),
    ['tenants/acme/devices/42/commands', 'tenants/acme/devices/42/commands'])
})

t.test('docs/auth.md has an access control for tenants that lets a device read its own topic only', { skip: skipWithoutMosquitto }, async t => {
  const [, acl = ''] = /```acl\n([\s\S]*?)```/.exec(DOCS) ?? []
  const mosquitto = await startMosquitto(t, { config: ['allow_anonymous true', 'acl_file {dir}/acl'], files: { acl } })
  const topic = { MQTT_TOPIC: 'tenants/{claims.tenant}/devices/{imei}/commands' }
  const app = await startConnectedApp(t, mosquitto.url, { ...topic, MQTT_USERNAME: 'messenger' })
  const own = await subscribe(t, mosquitto.url, '#', { username: 'a', clientId: IMEI })
  const others = [
    await subscribe(t, mosquitto.url, '#', { username: 'b', clientId: `${IMEI}0` }),
    await subscribe(t, mosquitto.url, '#', { username: 'a', clientId: '42' })
  ]
  const to = async (tenant: string, imei: string) =>
    (await send(app, { ...EXAMPLE, imei }, { authorization: `Bearer ${await token({ tenant })}` })).statusCode
  t.strictSame([await to('a', IMEI), await to('b', IMEI), await to('b', '42')], [200, 200, 200])
  t.strictSame([await to('b', `${IMEI}0`), await to('a', '42'), await to('a', IMEI)], [200, 200, 200], 'the last of each')
  await Promise.all([own.count(2), ...others.map(other => other.count(1))])
  t.strictSame([own, ...others].map(({ received }) => received.map(packet => packet.topic)), [
    [`tenants/a/devices/${IMEI}/commands`, `tenants/a/devices/${IMEI}/commands`],
    [`tenants/b/devices/${IMEI}0/commands`],
    ['tenants/a/devices/42/commands']
  ])
})

t.test('docs/auth.md says of each authorization_details what it covers', async t => {
  const rows = readTable(DOCS, '| `authorization_details` | covers | does not cover |')
  t.equal(rows.length, 5)
  for (const [example = '', covered = '', uncovered = ''] of rows) {
    const [json = ''] = quoted(example)
    const isCovered = (command: string) => {
      const [imei = '', microOp = ''] = command.split(' ')
      return covers(readGrants(JSON.parse(json)), imei, microOp)
    }
    t.strictSame(quoted(covered).filter(command => !isCovered(command)), [], json)
    t.strictSame(quoted(uncovered).filter(isCovered), [], json)
    t.ok(quoted(uncovered).length > 0, json)
  }
})

t.test('docs/auth.md has each challenge as it is sent', async t => {
  const problems = [
    thrownBy(ProblemError, () => readBearerToken(undefined)),
    thrownBy(ProblemError, () => readBearerToken('Bearer')),
    invalidToken('<detail>'), insufficientScope('<scope>'), insufficientAuthorization('<detail>')
  ]
  t.strictSame(
    readTable(DOCS, '| code | status | `WWW-Authenticate` |').map(([code = '', status, challenge = '']) => [...quoted(code), status, ...quoted(challenge)]),
    problems.map(({ code, statusCode, headers }) => [code, String(statusCode), headers['www-authenticate']])
  )
})

t.test('docs/auth.md has each refusal, and none that there is not', async t => {
  const rows = readTable(DOCS, '| code | `detail` | what to do |').map(([code = '', detail = '', advice = '']) => ({
    code: String(quoted(code)[0]), detail: String(quoted(detail)[0]).replace(/; nothing was published$/, ''), advice
  }))
  for (const { code, detail, advice } of rows) t.ok(code in catalogue && advice !== '', detail)
  const files = [...readdirSync('src/auth').map(name => `auth/${name}`), 'plugins/auth.ts', 'plugins/authorization.ts', 'plugins/limits.ts']
  const source = files.map(name => readFileSync(`src/${name}`, 'utf8')).join('\n')
  const texts = [...source.matchAll(/(['`])((?:The|Send|Too many|A caller may|A device may) [^'`\n]*)\1/g)]
  const said = [
    ...texts.map(match => String(match[2]).replaceAll(/\$\{[^}]*\}/g, '…').replace(/; nothing was published$/, '')),
    ...(['token_missing', 'invalid_request', 'key_source_unavailable'] as const).map(code => catalogue[code].detail.replace(/; nothing was published$/, ''))
  ]
  t.strictSame(rows.map(({ detail }) => detail).sort(), [...new Set(said)].sort())
})
