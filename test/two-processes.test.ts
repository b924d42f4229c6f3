import { Agent, request } from 'node:http'
import t, { type Test } from 'tap'
import { answer } from './helpers/answering-device.js'
import { SECRET, token } from './helpers/app.js'
import { skipWithoutMosquitto, startMosquitto } from './helpers/mosquitto.js'
import { runProgram } from './helpers/program.js'
import { subscribe } from './helpers/subscriber.js'

/** How many wait at each process. */
const WAITERS = 1_000

/** The messenger as a process of its own, connected to this broker. */
async function startServer (t: Test, url: string) {
  const server = runProgram(t, 'src/server.ts', { env: { PORT: '0', MQTT_URL: url, JWT_SECRET: SECRET, LOG_LEVEL: 'info', MQTT_QUEUE_TIMEOUT_MS: '5000' } })
  await server.says('connected to the broker')
  const port = Number(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.output.stdout)?.[1])
  const authorization = `Bearer ${await token()}`
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  return {
    kill: () => { server.kill('SIGKILL') },
    /** Sends an operation to a device and waits for its reply; what comes of it as a text. */
    send: (imei: string, microOp: string) => new Promise<string>(resolve => {
      const headers = { authorization, 'content-type': 'application/json', prefer: 'wait=30' }
      const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', path: '/messaging/send', headers }, response => {
        let body = ''
        response.setEncoding('utf8').on('data', chunk => { body += String(chunk) })
        response.on('end', () => { resolve(`${response.statusCode} ${JSON.stringify(JSON.parse(body).reply)}`) }).on('error', () => { resolve('cut') })
      })
      sent.on('error', () => { resolve('cut') })
      sent.end(JSON.stringify({ imei, micro_op: microOp }))
    })
  }
}

t.test('gives two processes behind one broker each its own replies, also when one is killed and another takes its place', { skip: skipWithoutMosquitto }, async t => {
  const { url } = await startMosquitto(t, { config: ['allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 0'] })
  const device = await subscribe(t, url, 'devices/+/commands')
  const [one, other] = await Promise.all([startServer(t, url), startServer(t, url)])
  const sendAll = (server: typeof one, name: string, count: number) =>
    Array.from({ length: count }, (_, n) => server.send(`device-${n}`, `${name}_${n}`))
  const answerFrom = async (first: number) => {
    await Promise.all(device.received.slice(first).map(packet => answer(device.client, packet, `${packet.topic} ${packet.payload.toString()}`)))
  }
  const rightAnswers = (name: string, count: number) => Array.from({ length: count }, (_, n) => `200 "devices/device-${n}/commands ${name}_${n}"`)

  const killed = sendAll(one, 'killed', WAITERS)
  const right = sendAll(other, 'right', WAITERS)
  await device.count(2 * WAITERS)
  t.equal(new Set(device.received.map(packet => packet.properties?.responseTopic?.split('/')[1])).size, 2, 'each has a reply topic of its own')
  one.kill()
  t.strictSame(new Set(await Promise.all(killed)), new Set(['cut']))
  const next = await startServer(t, url)
  const later = sendAll(next, 'next', 100)
  await device.count(2 * WAITERS + 100)
  await answerFrom(0)
  t.strictSame(await Promise.all(right), rightAnswers('right', WAITERS))
  t.strictSame(await Promise.all(later), rightAnswers('next', 100))
})
