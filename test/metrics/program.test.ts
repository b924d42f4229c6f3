import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { SECRET } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { runProgram } from '../helpers/program.js'
import { scrape } from '../helpers/scrape.js'

const PROGRAM = 'src/server.ts'
const metricsPortOf = (stdout: string) => Number(/Metrics at http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(stdout)?.[1])

t.test('is scraped at a free port, which it logs, where METRICS_PORT is 0, and until its end', async t => {
  const broker = await startBroker(t)
  const server = runProgram(t, PROGRAM, {
    env: { PORT: '0', METRICS_PORT: '0', MQTT_URL: broker.url, JWT_SECRET: SECRET, DRAIN_DELAY_MS: '2000' }
  })
  await server.says('connected to the broker')
  const port = metricsPortOf(server.output.stdout)
  t.equal((await scrape(port)).value('messenger_broker_connected'), 1)
  server.kill('SIGTERM')
  await server.says('stopping')
  t.equal((await scrape(port)).value('messenger_broker_connected'), 1, 'while it serves what is left')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('does not start where METRICS_PORT is taken, and says what to do', async t => {
  const port = await takePort(t)
  const server = runProgram(t, PROGRAM, { env: { PORT: '0', METRICS_PORT: port } })
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.equal(server.output.stderr, `Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n` +
    'Another program listens there: set METRICS_PORT to a free port.\n')
  t.notOk(server.output.stdout.includes('listening'), 'not at PORT either')
})

t.test('does not stay with its metrics alone where PORT is taken', async t => {
  const port = await takePort(t)
  const server = runProgram(t, PROGRAM, { env: { PORT: port, METRICS_PORT: '0' } })
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.equal(server.output.stderr, `Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n` +
    'Another program listens there: set PORT to a free port.\n')
})

/** A port that another program listens on. */
async function takePort (t: Test): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const address = server.address()
  return typeof address === 'object' ? String(address?.port) : ''
}
