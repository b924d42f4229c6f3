import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SECRET } from './helpers/app.js'
import { runProgram } from './helpers/program.js'
import { openRaw, parseResponse, writeOut } from './helpers/raw-http.js'
import { startScriptedBroker } from './helpers/scripted-broker.js'
import { until } from './helpers/until.js'

t.test('tells a caller that still waits at the end of the shutdown time that no reply came', async t => {
  const broker = await startScriptedBroker(t, { onPublish ({ messageId }, connection) { connection.puback(messageId) } })
  const server = runProgram(t, 'src/server.ts', {
    env: {
      PORT: '0', MQTT_URL: broker.url, JWT_SECRET: SECRET, MQTT_PUBLISH_TIMEOUT_MS: '800', MQTT_QUEUE_TIMEOUT_MS: '1000', SHUTDOWN_TIMEOUT_MS: '5800'
    }
  })
  await server.says('connected to the broker')
  const port = Number(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.output.stdout)?.[1])
  const caller = await openRaw(t, port)
  caller.write(await writeOut({ Prefer: 'wait=60' }))
  await until(() => broker.published.length === 1, 'the publish')

  server.kill('SIGTERM')
  await server.says('"stopping"')
  await sleep(300)
  t.equal(caller.text, '', 'it has its time')
  await caller.ended()
  const { statusLine, headers, body } = parseResponse(caller.text)
  t.equal(statusLine, 'HTTP/1.1 504 Gateway Timeout')
  t.equal(JSON.parse(body).code, 'reply_timeout')
  t.equal(headers.connection, 'close')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})
