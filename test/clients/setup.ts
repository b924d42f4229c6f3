import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { IMEI } from '../helpers/app.js'
import { withoutTap } from '../helpers/coverage.js'
import { readShellBlocks } from '../helpers/markdown.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { runProgram } from '../helpers/program.js'
import { copyProject, paste, shellEnv } from '../helpers/shell.js'
import { until } from '../helpers/until.js'
import { readCollections } from './collections.js'
import { TOOLS } from './tools.js'

/** For the registry, and for a machine that does other things as well, in milliseconds. */
export const LIMIT_MS = 240_000

/** Commands of a collection that the documented device gets: two of *Send*, one each of *Idempotency-Key*, *Prefer: wait* and *Bulk*. */
const COMMANDS = 5

const requests = readCollections().postman.map(({ name }) => name)
const [commands = ''] = readShellBlocks(readFileSync('README.md', 'utf8')).filter(block => block.startsWith('npm run -s clients:'))

/** The line of the README for a script. */
export function lineOf (script: string, url: string): string {
  const line = commands.split('\n').find(text => text.startsWith(`npm run -s ${script} `)) ?? ''
  return line.replace('http://127.0.0.1:3000', url)
}

/** Why a client cannot be run here, by its name; false in CI, where it must be. */
function skipWithoutTool (name: string): string | false {
  const [program = '', ...args] = TOOLS[name]?.probe ?? []
  // This also fetches it, so that the run itself takes no time for that.
  const { status } = spawnSync(...withoutTap(program, args), { env: shellEnv, timeout: LIMIT_MS, stdio: 'ignore' })
  return status === 0 || process.env.CI === 'true' ? false : `the client of ${name} cannot be had from the registry`
}

/** A server of the demo on a Mosquitto, one without its broker, and the device: all in a copy of the project. */
export async function startAll (t: Test) {
  const cwd = copyProject(t)
  const broker = await startMosquitto(t)
  const start = async (env: Readonly<Record<string, string>>) => {
    const server = runProgram(t, 'src/server.ts', { cwd, env: { PORT: '0', ...env } })
    const url = () => /http:\/\/127\.0\.0\.1:\d+/.exec(server.output.stdout)?.[0]
    await until(() => url() !== undefined, 'the address of the server', 20_000)
    return url() ?? ''
  }
  const url = await start({ MQTT_URL: broker.url })
  const urlWithoutBroker = await start({ MQTT_URL: `mqtt://127.0.0.1:${await freePort()}` })
  const device = runProgram(t, 'src/cli/device.ts', { cwd, args: [IMEI], env: { MQTT_URL: broker.url } })
  await until(() => device.output.stderr.includes('waiting for commands'), 'the subscription', 20_000)
  return { cwd, url, urlWithoutBroker, device }
}

/** Runs a client over its collection, as the README says. */
export function testClient (t: Test, name: string): void {
  const skip = skipWithoutMosquitto || skipWithoutTool(name)

  t.test(`the collection for ${name} passes, with each command published once, and fails where an answer is another`, { skip }, async t => {
    const { cwd, url, urlWithoutBroker, device } = await startAll(t)
    const client = paste(t, `${lineOf(`clients:${name}`, url)} --without-broker ${urlWithoutBroker}`, cwd)
    t.equal(await client.exit(LIMIT_MS), 0, client.output.all)
    for (const request of requests) t.ok(client.output.stdout.includes(request), request)
    for (const test of ['is answered 406 not sent', 'is answered 403 insufficient_authorization', 'is answered 404 no_subscriber', 'has the reply of the device']) {
      t.ok(client.output.stdout.includes(test), test)
    }
    t.strictSame(device.output.stdout.match(/commands \w+$/gm), Array(COMMANDS).fill('commands push_down'))

    // Compiled by now.
    const refused = paste(t, `node .clients/test/clients/run.js ${name} --url ${url} --token nobody`, cwd)
    t.equal(await refused.exit(LIMIT_MS), 1)
    t.ok(refused.output.all.includes('is accepted'))
    t.equal(device.output.stdout.match(/push_down/g)?.length, COMMANDS, 'nothing more was published')
  })
}
