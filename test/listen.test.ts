import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { SECRET } from './helpers/app.js'
import { freePort } from './helpers/ports.js'
import { runProgram } from './helpers/program.js'
import { until } from './helpers/until.js'

const CALLERS = 1_500

/** What the system allows at most. */
const SYSTEM_LIMIT = process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 0

t.test('has no caller of many try again that come while it is busy', { skip: SYSTEM_LIMIT < CALLERS && process.env.CI !== 'true' && 'net.core.somaxconn is too small' }, async t => {
  const port = await freePort()
  const server = runProgram(t, 'src/server.ts', { env: { PORT: String(port), MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET } })
  await server.says('Server listening')
  server.kill('SIGSTOP')
  const sockets = Array.from({ length: CALLERS }, () => connect(port, '127.0.0.1'))
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  // It accepts none of them: those for whom the system has no place are not connected, however long they try.
  let connected = 0
  for (const socket of sockets) socket.once('connect', () => { connected += 1 })
  await until(() => connected === CALLERS, 'all connections', 30_000)
  server.kill('SIGCONT')
})
