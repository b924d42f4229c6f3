import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { SECRET } from './helpers/app.js'
import { freePort } from './helpers/mosquitto.js'
import { runProgram } from './helpers/program.js'

const CALLERS = 1_500

/** What the system allows at most. */
const SYSTEM_LIMIT = process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 0

t.test('has no caller of many try again that come while it is busy', { skip: SYSTEM_LIMIT < CALLERS && 'net.core.somaxconn is too small' }, async t => {
  const port = await freePort()
  const server = runProgram(t, 'src/server.ts', { env: { PORT: String(port), MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET } })
  await server.says('Server listening')
  server.kill('SIGSTOP')
  const startedMs = performance.now()
  const sockets = Array.from({ length: CALLERS }, () => connect(port, '127.0.0.1'))
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  await Promise.all(sockets.map(socket => once(socket, 'connect')))
  // The system tries again after a second.
  t.ok(performance.now() - startedMs < 990, `${(performance.now() - startedMs).toFixed(0)} ms`)
  server.kill('SIGCONT')
})
