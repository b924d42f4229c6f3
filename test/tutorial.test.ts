import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { catalogue } from '../src/errors.js'
import { EXAMPLE, IMEI, startApp, startConnectedApp, token, type App } from './helpers/app.js'
import { startBroker } from './helpers/broker.js'
import { createLog } from './helpers/log.js'
import { readShellBlocks } from './helpers/markdown.js'
import { freePort } from './helpers/ports.js'
import { createFolder } from './helpers/program.js'
import { until } from './helpers/until.js'
import { startScriptedBroker } from './helpers/scripted-broker.js'
import { copyProject, createTranslator, paste, skipWithout } from './helpers/shell.js'

const ENGLISH = readFileSync('docs/en/tutorial.md', 'utf8')
const PERSIAN = readFileSync('docs/fa/tutorial.md', 'utf8')
const OK_BODY = '{"detail":"Send `push_down` to topic `devices/26372637216372637126376237/commands`"}'

/** Code blocks with their language, those in lists without their indentation. */
function blocksOf (document: string): string[] {
  return [...document.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```/gm)].map(([, indent = '', language, block = '']) => `${language}: ${block.replaceAll(`\n${indent}`, '\n')}`)
}

const withoutBlocks = (document: string) => document.replaceAll(/^( *)```\w+\n[\s\S]*?^\1```/gm, '')

/** Per table: its columns, and its number of rows. */
function tablesOf (document: string): number[][] {
  const tables = [...withoutBlocks(document).matchAll(/(?:^\|.*\n)+/gm)].map(match => match[0].trim().split('\n'))
  return tables.map(rows => [String(rows[0]).split('|').length, rows.length])
}

t.test('is the same in both languages', async t => {
  const levels = (document: string) => [...withoutBlocks(document).matchAll(/^(#+) /gm)].map(match => match[1]?.length)
  t.ok(levels(ENGLISH).length > 20)
  t.strictSame(levels(PERSIAN), levels(ENGLISH), 'headings')
  t.strictSame(blocksOf(PERSIAN), blocksOf(ENGLISH), 'code')
  t.strictSame(tablesOf(PERSIAN), tablesOf(ENGLISH), 'tables')
})

for (const [language, document] of [['English', ENGLISH], ['Persian', PERSIAN]] as const) {
  t.test(`says what to do about every problem, in ${language}`, async t => {
    // Nobody hears the one of a caller that has gone.
    const { caller_gone: unheard, ...heard } = catalogue
    for (const [code, { status }] of Object.entries(heard)) t.ok(document.includes(`\n| ${status} | \`${code}\` | `), code)
  })

  t.test(`shows answers as they are, in ${language}`, async t => {
    t.ok(document.includes(`json\n${OK_BODY}\n`))
    const { status, title, detail } = catalogue.delivery_unknown
    t.ok(document.includes(`json\n${JSON.stringify({ title, status, code: 'delivery_unknown', detail })}\n`))
  })
}

t.test('leads from nothing to a device that gets a command', { skip: skipWithout('curl') }, async t => {
  const blocks = readShellBlocks(ENGLISH.replaceAll('http://127.0.0.1/', 'http://127.0.0.1:3000/'))
  const block = (start: string) => blocks.find(text => text.startsWith(start)) ?? ''
  const cwd = copyProject(t)
  const translate = await createTranslator()
  const server = paste(t, translate(block('npm ci\nPORT=80')), cwd)
  await server.says('Another token')
  const device = paste(t, translate(block('npm run -s device')), cwd)
  await device.says('waiting for commands')

  const first = paste(t, translate(`${block('TOKEN=$(npm')}echo "$TOKEN"\n${block('node -p')}${block('curl http://127.0.0.1:3000/messaging/send ')}`), cwd)
  t.equal(await first.exit(), 0)
  const [demoToken = ''] = first.output.stdout.split('\n')
  t.match(first.output.stdout, 'sub: \'demo\'')
  t.ok(first.output.stdout.endsWith(OK_BODY))
  await device.says(`devices/${IMEI}/commands push_down`)

  // Each further command with the same token: a new one is a build more.
  const run = async (text: string) => {
    const shell = paste(t, translate(`TOKEN=${demoToken}\n${text}`), cwd)
    t.equal(await shell.exit(), 0)
    return shell.output.stdout
  }
  const answers = (await run(block('for attempt'))).split(/(?=HTTP\/1\.1)/)
  t.ok(answers.every(answer => answer.startsWith('HTTP/1.1 200 OK') && answer.endsWith(OK_BODY)))
  t.strictSame(answers.map(answer => /^idempotency-replayed: true\r$/m.test(answer)), [false, true])
  t.equal(device.output.stdout.match(/push_down/g)?.length, 2)

  const waited = await run(block('curl -i http'))
  t.match(waited, /^preference-applied: wait=10\r$/m)
  t.ok(ENGLISH.includes(`json\n${String(waited.split('\r\n\r\n')[1])}\n`), waited)
  const { results } = JSON.parse(await run(block('curl http://127.0.0.1:3000/messaging/send/bulk')))
  t.strictSame(results.map(({ imei, status }: { imei: string, status: number }) => [imei, status]), [[IMEI, 200], ['42', 200]])
})

type SendCommand = (url: string, token: string, command: object, attempts?: number) => Promise<string>

/** The client of the tutorial. */
async function loadClient (t: Test): Promise<SendCommand> {
  const [source = ''] = blocksOf(ENGLISH).filter(block => block.startsWith('js: ')).map(block => block.slice(4))
  const file = join(createFolder(t), 'client.mjs')
  writeFileSync(file, source)
  const { sendCommand } = await import(pathToFileURL(file).href)
  return sendCommand
}

async function urlOf (app: App): Promise<string> {
  return `${await app.listen({ host: '127.0.0.1', port: 0 })}/messaging/send`
}

t.test('has a client that tells accepted, not sent and refused', async t => {
  const sendCommand = await loadClient(t)
  const broker = await startBroker(t)
  const url = await urlOf(await startConnectedApp(t, broker.url))
  t.equal(await sendCommand(url, await token(), EXAMPLE), 'sent')
  t.equal(await sendCommand(url, 'no token', EXAMPLE), 'refused')
  t.equal(await sendCommand(url, await token(), { imei: 42 }), 'refused')
  const withoutBroker = await urlOf(await startApp(t, { MQTT_URL: `mqtt://127.0.0.1:${await freePort()}` }))
  t.equal(await sendCommand(withoutBroker, await token(), EXAMPLE), 'not sent')
})

t.test('has a client that says perhaps, and never publishes twice', async t => {
  const sendCommand = await loadClient(t)
  const broker = await startScriptedBroker(t)
  const url = await urlOf(await startConnectedApp(t, broker.url, { MQTT_PUBLISH_TIMEOUT_MS: '100' }))
  t.equal(await sendCommand(url, await token(), EXAMPLE, 2), 'perhaps sent')
  t.equal(broker.published.length, 1)
  t.equal(await sendCommand(`http://127.0.0.1:${await freePort()}`, await token(), EXAMPLE, 1), 'perhaps sent')
})

t.test('has a client that does not take the 406 of a messenger that knows no keys any more for what became of the first attempt', async t => {
  const sendCommand = await loadClient(t)
  const broker = await startScriptedBroker(t)
  const first = await startConnectedApp(t, broker.url)
  const port = await freePort()
  const url = `${await first.listen({ host: '127.0.0.1', port })}/messaging/send`
  const sent = sendCommand(url, await token(), EXAMPLE, 20)
  await until(() => broker.published.length === 1, 'the publish')
  first.server.closeAllConnections()
  await first.close()
  const log = createLog()
  const second = await startApp(t, { MQTT_URL: `mqtt://127.0.0.1:${await freePort()}` }, log)
  await second.listen({ host: '127.0.0.1', port })
  t.equal(await sent, 'perhaps sent')
  t.match(log.answered(), [{ status: 406 }])
})
