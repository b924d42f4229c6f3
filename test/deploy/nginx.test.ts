import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EXAMPLE, SECRET, TOPIC, token } from '../helpers/app.js'
import { createCertificates, skipWithoutOpenssl } from '../helpers/certificates.js'
import { startMosquitto } from '../helpers/mosquitto.js'
import { freePort } from '../helpers/ports.js'
import { createFolder, runProgram } from '../helpers/program.js'
import { paste, skipWithout } from '../helpers/shell.js'
import { subscribe } from '../helpers/subscriber.js'
import { until } from '../helpers/until.js'

const skip = skipWithoutOpenssl || skipWithout('mosquitto', 'nginx')
const CONF = readFileSync('deploy/nginx/nginx.conf', 'utf8')

/** The nginx of the sample, with TLS, in front of messengers at these ports. */
async function startNginx (t: Test, [one, other]: readonly [number, number]) {
  const dir = createFolder(t)
  const port = await freePort()
  const certificates = createCertificates(t)
  const replaced = [
    ['listen 443', `listen 127.0.0.1:${port}`], ['messenger-1:80', `127.0.0.1:${one}`], ['messenger-2:80', `127.0.0.1:${other}`],
    ['/etc/nginx/tls', certificates.path('')], ['/tmp/nginx', join(dir, 'nginx')], ['/dev/stdout', join(dir, 'access.log')]
  ] as const
  for (const [from] of replaced) t.ok(CONF.includes(from), `has ${from}`)
  writeFileSync(join(dir, 'nginx.conf'), replaced.reduce((conf, [from, to]) => conf.replaceAll(from, to), CONF))
  // In a container it runs as one user; here, as whoever runs the test.
  const nginx = paste(t, `exec nginx -e stderr -c ${join(dir, 'nginx.conf')} -g 'daemon off; user root;'`, dir)
  const ca = certificates.read('ca.crt')

  /** What comes of a request: its status, headers and body. */
  const send = (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = '', agent: Agent | false = false) =>
    new Promise<{ status: number | undefined, headers: NodeJS.Dict<string | string[]>, body: string }>((resolve, reject) => {
      const sent = request({ ca, host: '127.0.0.1', port, method, path, headers, agent }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', chunk => { text += String(chunk) })
        response.on('end', () => { resolve({ status: response.statusCode, headers: response.headers, body: text }) })
      })
      sent.on('error', reject).end(body)
    })

  let isUp = false
  const endMs = performance.now() + 20_000
  while (!isUp) {
    if (performance.now() > endMs) throw new Error(`nginx does not answer:\n${nginx.output.all}`)
    isUp = await send('GET', '/health/live').then(() => true, () => false)
  }
  return {
    send,
    readLog: () => readFileSync(join(dir, 'access.log'), 'utf8'),
    async stop () {
      nginx.kill('SIGQUIT')
      return await nginx.exit()
    }
  }
}

async function startMessenger (t: Test, url: string) {
  const env = { PORT: '0', MQTT_URL: url, JWT_SECRET: SECRET, TRUST_PROXY: '127.0.0.1', RATE_LIMIT_CALLER: '1000/1s' }
  const server = runProgram(t, 'src/server.ts', { env })
  await server.says('connected to the broker')
  return { server, port: Number(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.output.stdout)?.[1]) }
}

t.test('gives requests over TLS to both messengers, as they came, and a request that failed to no other', { skip }, async t => {
  const broker = await startMosquitto(t)
  const messengers = [await startMessenger(t, broker.url), await startMessenger(t, broker.url)] as const
  const [one, other] = messengers
  const nginx = await startNginx(t, [one.port, other.port])
  const device = await subscribe(t, broker.url, TOPIC)
  const authorization = `Bearer ${await token()}`
  const post = (id: string, body: unknown = EXAMPLE) =>
    nginx.send('POST', '/messaging/send', { authorization, 'content-type': 'application/json', 'x-request-id': id }, JSON.stringify(body))

  // One worker of nginx counts for itself: of many, both get some.
  const ids = Array.from({ length: 40 }, (_, n) => `request-${n}`)
  for (const id of ids) {
    const { status, headers, body } = await post(id)
    t.strictSame([status, headers['x-request-id'], body], [200, id, `{"detail":"Send \`push_down\` to topic \`${TOPIC}\`"}`])
  }
  await device.count(ids.length)
  t.strictSame(device.received.map(packet => packet.properties?.userProperties?.request_id), ids)
  const isAt = ({ server }: typeof one, id: string) => server.output.stdout.includes(`"reqId":"${id}"`)
  await until(() => ids.every(id => messengers.some(messenger => isAt(messenger, id))), 'a line in a log for each')
  for (const messenger of messengers) t.ok(ids.some(id => isAt(messenger, id)), 'each has some')
  t.ok(ids.every(id => nginx.readLog().includes(`"reqId":"${id}"`)), 'the log of nginx has each')

  const { headers: made } = await nginx.send('GET', '/health/ready')
  t.match(made['x-request-id'], /^[0-9a-f-]{36}$/, 'one that has no id gets it from the messenger')
  const tooLarge = await post('large', { ...EXAMPLE, micro_op: 'x'.repeat(300_000) })
  t.strictSame([tooLarge.status, tooLarge.headers['x-request-id']], [413, 'large'], 'it is the messenger that says 413')

  one.server.kill('SIGKILL')
  await one.server.exit()
  const statuses: Array<number | undefined> = []
  for (let n = 0; n < 40; n++) {
    const { status, headers } = await post(`after-${n}`)
    t.equal(headers['x-request-id'], status === 200 ? `after-${n}` : undefined, 'an error of the proxy itself has no X-Request-Id')
    statuses.push(status)
  }
  const accepted = statuses.filter(status => status === 200).length
  t.ok(statuses.every(status => status === 200 || status === 502) && accepted >= 20, statuses.join())
  await device.count(ids.length + accepted)
  t.equal(await nginx.stop(), 0)
  other.server.kill('SIGTERM')
  t.strictSame(await other.server.exit(), { code: 0, signal: null })
  t.equal(device.received.length, ids.length + accepted, 'and nothing was sent twice')
})

t.test('counts bad tokens by the address that the proxy sees, whatever the caller claims', { skip }, async t => {
  const broker = await startMosquitto(t)
  const { port } = await startMessenger(t, broker.url)
  const nginx = await startNginx(t, [port, port])
  let claims = 0
  /** From a loopback address of its own, which is no proxy's, and with another claim each time. */
  const bad = async (from: Agent) => {
    const headers = { authorization: 'Bearer bad', 'x-forwarded-for': `192.0.2.${claims++ % 250}` }
    return (await nginx.send('POST', '/messaging/send', headers, '{}', from)).status
  }
  const [caller, neighbour] = ['127.0.0.2', '127.0.0.3'].map(localAddress => new Agent({ keepAlive: true, localAddress })) as [Agent, Agent]
  t.teardown(() => { for (const agent of [caller, neighbour]) agent.destroy() })
  let status: number | undefined = 401
  for (let n = 0; n <= 1_000 && status === 401; n++) status = await bad(caller)
  t.equal(status, 429)
  t.equal(await bad(neighbour), 401, 'another address behind the same proxy')
  const valid = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' }
  t.equal((await nginx.send('POST', '/messaging/send', valid, JSON.stringify(EXAMPLE), caller)).status, 200, 'a valid token always passes')
  await nginx.stop()
})

t.test('waits longer than the longest wait for a device, and repeats nothing', async t => {
  const [, seconds = ''] = /proxy_read_timeout (\d+)s;/.exec(CONF) ?? []
  t.ok(Number(seconds) >= 65, seconds)
  t.match(CONF, /^ +proxy_next_upstream off;$/m)
  t.match(CONF, /proxy_set_header X-Request-Id \$http_x_request_id;/)
  t.match(CONF, /proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;/)
})
