import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { EXAMPLE, SECRET, token } from './helpers/app.js'
import { runProgram } from './helpers/program.js'
import { startScriptedBroker, type ScriptedBrokerOptions } from './helpers/scripted-broker.js'
import { until } from './helpers/until.js'

const PUBLISH_TIMEOUT_MS = 500

/** Answers of a server that stands still with a command under way, while the broker and its device do not. */
async function askOneThatStandsStill (t: Test, script: ScriptedBrokerOptions, headers: Readonly<Record<string, string>> = {}) {
  const broker = await startScriptedBroker(t)
  const server = runProgram(t, 'src/server.ts', {
    env: { PORT: '0', MQTT_URL: broker.url, JWT_SECRET: SECRET, MQTT_PUBLISH_TIMEOUT_MS: String(PUBLISH_TIMEOUT_MS) }
  })
  await server.says('connected to the broker')
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output.stdout)?.[0]
  const authorization = `Bearer ${await token()}`
  const post = async () => await fetch(`${origin}/messaging/send`, {
    method: 'POST', headers: { authorization, 'content-type': 'application/json', ...headers }, body: JSON.stringify(EXAMPLE)
  })
  const first = post()
  await until(() => broker.published.length === 1, 'the PUBLISH')
  server.kill('SIGSTOP')
  const [connection] = broker.connections
  const [packet] = broker.published
  if (connection === undefined || packet === undefined) throw new Error('unreachable')
  script.onPublish?.(packet, connection)
  // Longer than what a connection is given without a PUBACK.
  await sleep(3 * PUBLISH_TIMEOUT_MS)
  server.kill('SIGCONT')
  const answer = await first
  Object.assign(broker.script, script)
  return { broker, answer, after: await post() }
}

t.test('takes a PUBACK that came while it stood still for what it is, and keeps the connection', async t => {
  const { broker, answer, after } = await askOneThatStandsStill(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  t.strictSame([answer.status, after.status, broker.connections.length], [200, 200, 1])
})

t.test('takes a reply that came while it stood still, though the wait would be over', async t => {
  const { answer, after } = await askOneThatStandsStill(t, {
    onPublish (packet, connection) {
      connection.puback(packet.messageId)
      connection.reply(packet, '"pushed"')
    }
  }, { prefer: 'wait=1' })
  t.strictSame([answer.status, after.status], [200, 200])
  t.match(await answer.json(), { reply: 'pushed' })
})
