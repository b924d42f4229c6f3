import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runProgram } from './helpers/program.js'
import { EXAMPLE, SECRET, token } from './helpers/app.js'
import { startBroker } from './helpers/broker.js'
import { openRaw, writeOut } from './helpers/raw-http.js'
import { startScriptedBroker } from './helpers/scripted-broker.js'
import { subscribe } from './helpers/subscriber.js'
import { until } from './helpers/until.js'

const NEVER_ACCEPTED = 'reset before it was accepted'
const LISTENING = 'Server listening at http://127.0.0.1:'
const portOf = (stdout: string) => Number(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(stdout)?.[1])

t.test('answers every request it accepted when it is stopped under load', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', MQTT_URL: broker.url, JWT_SECRET: SECRET } })
  await server.says('connected to the broker')
  const port = portOf(server.output.stdout)
  const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' }
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const statuses = new Map<number | string, number>()

  const post = () => new Promise<number | string>(resolve => {
    const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/messaging/send', headers }, response => {
      response.resume().on('end', () => { resolve(response.statusCode ?? 0) })
      response.on('error', error => { resolve(`cut: ${error.message}`) })
    })
    sent.on('error', error => {
      const code = 'code' in error ? String(error.code) : error.message
      // The kernel resets connections that wait to be accepted when the listening socket goes.
      resolve(code === 'ECONNRESET' && !sent.reusedSocket ? NEVER_ACCEPTED : code)
    })
    sent.end(JSON.stringify(EXAMPLE))
  })
  async function call (): Promise<void> {
    for (;;) {
      const status = await post()
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 'ECONNREFUSED') return
    }
  }
  const callers = Array.from({ length: 32 }, call)
  await until(() => (statuses.get(200) ?? 0) > 500, '500 answers')
  server.kill('SIGTERM')
  await Promise.all(callers)
  t.strictSame(await server.exit(), { code: 0, signal: null })

  t.strictSame([...statuses.keys()].filter(status => ![200, 503, NEVER_ACCEPTED, 'ECONNREFUSED'].includes(status)), [], JSON.stringify([...statuses]))
  t.ok((statuses.get(503) ?? 0) > 0)
  await device.count(statuses.get(200) ?? 0)
  t.equal(device.received.length, statuses.get(200), 'each 200 was published, and nothing else')
})

/** A server whose broker acknowledges nothing. */
async function startUnacknowledged (t: Test) {
  const broker = await startScriptedBroker(t)
  const server = runProgram(t, 'src/server.ts', {
    env: {
      PORT: '0', MQTT_URL: broker.url, JWT_SECRET: SECRET, MQTT_PUBLISH_TIMEOUT_MS: '800', MQTT_QUEUE_TIMEOUT_MS: '0', SHUTDOWN_TIMEOUT_MS: '4900'
    }
  })
  await server.says('connected to the broker')
  return { broker, server }
}

t.test('answers a publish that is under way, waits for no half-sent request, and exits 0', async t => {
  const { broker, server } = await startUnacknowledged(t)
  const port = portOf(server.output.stdout)
  t.ok(server.output.stdout.includes(LISTENING))
  const head = `POST /messaging/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 27\r\nAuthorization: Bearer ${await token()}\r\n\r\n`
  const whole = await openRaw(t, port)
  const half = await openRaw(t, port)
  whole.write(`${head}{"imei":"1","micro_op":"a"}`)
  half.write(`${head}{"imei":`)
  await until(() => broker.published.length === 1, 'the publish')

  server.kill('SIGTERM')
  await whole.received('delivery_unknown')
  t.match(whole.text, /^HTTP\/1\.1 504 /)
  await half.ended()
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('answers a publish that is under way also where it stands still until callers are to be cut off', async t => {
  const { broker, server } = await startUnacknowledged(t)
  const caller = await openRaw(t, portOf(server.output.stdout))
  caller.write(await writeOut())
  await until(() => broker.published.length === 1, 'the publish')
  server.kill('SIGTERM')
  await server.says('"stopping"')
  await sleep(300) // it refuses by then, and its timers run
  t.equal(caller.text, '')
  server.kill('SIGSTOP')
  await sleep(3_000)
  server.kill('SIGCONT')
  await caller.received('delivery_unknown')
  t.match(caller.text, /^HTTP\/1\.1 504 /)
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('takes a second signal within a second for the same stop, and ends at once at a later one', async t => {
  const start = async () => {
    const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET, DRAIN_DELAY_MS: '5000' } })
    await server.says(LISTENING)
    // Of one kind, two at once may be one.
    server.kill('SIGINT')
    server.kill('SIGTERM')
    await server.says('"stopping"')
    return server
  }
  const [patient, impatient] = await Promise.all([start(), start()])
  await sleep(1_100)
  impatient.kill('SIGINT')
  t.strictSame(await impatient.exit(), { code: 1, signal: null })
  t.ok(impatient.output.stdout.includes('a second signal: ending at once'))
  t.ok(patient.isAlive)
  t.strictSame(await patient.exit(), { code: 0, signal: null })
})
