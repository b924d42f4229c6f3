import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { SECRET } from '../helpers/app.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { runProgram } from '../helpers/program.js'

const PROGRAM = 'src/server.ts'

t.test('several workers say once why they do not start', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const address = taken.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const env = { WORKERS: '2', MQTT_URL: 'mqtt://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1', JWT_SECRET: SECRET }
  for (const [name, settings] of Object.entries({ PORT: { PORT: port }, METRICS_PORT: { PORT: '0', METRICS_PORT: port } })) {
    const server = runProgram(t, PROGRAM, { env: { ...env, ...settings } })
    t.strictSame(await server.exit(), { code: 1, signal: null })
    t.equal(server.output.stderr, `Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n` +
      `Another program listens there: set ${name} to a free port.\n`)
  }
  const server = runProgram(t, PROGRAM, { env: { WORKERS: '2', JWT_SECRET: SECRET } })
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.equal(server.output.stderr, 'The configuration has 2 faults:\n' +
    '  - WORKERS of 2 need MQTT_URL: they cannot share an embedded broker\n' +
    '  - WORKERS of 2 need REDIS_URL: limits and keys must hold for all of them\n')
})

t.test('several workers say once why none of them can start, and all are gone', { skip: skipWithoutMosquitto }, async t => {
  const broker = await startMosquitto(t)
  const [port, metricsPort] = [await freePort(), await freePort()]
  // Between the look of the primary and the first worker, another program takes the port.
  const before = `import cluster from 'node:cluster'
    import { createServer } from 'node:net'
    if (cluster.isPrimary) cluster.once('fork', () => { createServer().listen(${port}, '127.0.0.1').unref() })`
  const env = { PORT: String(port), METRICS_PORT: String(metricsPort), WORKERS: '2', MQTT_URL: broker.url, REDIS_URL: 'redis://127.0.0.1:1', JWT_SECRET: SECRET }
  const server = runProgram(t, PROGRAM, { env, before })
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.equal(server.output.stderr, `Error: bind EADDRINUSE 127.0.0.1:${port}\nAnother program listens there: set PORT to a free port.\n`)
})

t.test('several workers say why they do not start where no process can be', async t => {
  const before = `import cluster from 'node:cluster'
    if (cluster.isPrimary) process.execPath = '/nonexistent/node'`
  const env = { PORT: '0', WORKERS: '2', MQTT_URL: 'mqtt://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1', JWT_SECRET: SECRET }
  const server = runProgram(t, PROGRAM, { env, before })
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.equal(server.output.stderr, 'A worker ended before it served: Error: spawn /nonexistent/node ENOENT\n')
})
