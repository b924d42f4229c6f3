import { Agent, request } from 'node:http'
import t, { type Test } from 'tap'
import { EXAMPLE, token, TOPIC } from '../helpers/app.js'
import { scrape } from '../helpers/scrape.js'
import { until } from '../helpers/until.js'
import { skipWithoutServices, startTwo } from '../helpers/workers.js'

const skip = skipWithoutServices

/** Posts the example. @returns the status, or the code of the connection's error */
function post (port: number, bearer: string, agent: Agent | false, headers: Readonly<Record<string, string>> = {}): Promise<number | string> {
  return new Promise(resolve => {
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/messaging/send',
      agent,
      timeout: 10_000,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers }
    }, response => {
      response.resume().on('end', () => { resolve(response.statusCode ?? 0) })
      response.on('error', error => { resolve(`cut: ${error.message}`) })
    })
    sent.on('timeout', () => { sent.destroy(new Error('no answer')) })
    sent.on('error', error => { resolve('code' in error ? String(error.code) : error.message) })
    sent.end(JSON.stringify(EXAMPLE))
  })
}

/** Has callers post on connections of their own until they are told to stop, and counts what they hear. */
function load (t: Test, port: number, bearer: string, callers: number) {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const heard = new Map<number | string, number>()
  const stop = new AbortController()
  async function call (): Promise<void> {
    while (!stop.signal.aborted) {
      const status = await post(port, bearer, agent)
      heard.set(status, (heard.get(status) ?? 0) + 1)
      if (status === 'ECONNREFUSED') return
    }
  }
  const all = Promise.all(Array.from({ length: callers }, call))
  const count = (status: number | string) => heard.get(status) ?? 0
  return {
    heard,
    count,
    reach: (n: number) => until(() => count(200) >= n, `${n} x 200`, 30_000),
    async end () {
      stop.abort()
      await all
    },
    ended: all
  }
}

t.test('a killed worker breaks its own connections only, and another takes its place', { skip }, async t => {
  const { server, device, port, metricsPort, says, pids } = await startTwo(t)
  const callers = load(t, port, await token(), 16)
  await callers.reach(200)
  t.equal((await scrape(metricsPort)).value('messenger_broker_connected'), 2)
  const before = (await scrape(metricsPort)).commands['accepted/'] ?? 0
  t.ok(before >= 200, 'as many as were answered, over both')

  const [victim = 0, other] = pids()
  process.kill(victim, 'SIGKILL')
  await says('Server listening', 3)
  await says('connected to the broker', 3)
  await callers.reach(callers.count(200) + 200)
  await callers.end()
  const accepted = callers.count(200)
  const broken = [...callers.heard].filter(([status]) => typeof status === 'string').reduce((sum, [, n]) => sum + n, 0)
  t.ok(broken > 0 && broken <= 16, `${broken} requests broke, at most one for each connection`)
  t.strictSame([...callers.heard.keys()].filter(status => typeof status === 'number' && status !== 200 && status !== 406), [], JSON.stringify([...callers.heard]))
  await device.count(accepted)
  t.ok(device.received.length >= accepted && device.received.length <= accepted + broken, 'each 200 was delivered once; what broke at most once')
  t.ok(pids().includes(Number(other)), 'the other worker is still there')
  t.equal(pids().length, 2)

  let after = await scrape(metricsPort)
  // It may only be known by its exit, and a moment later, that it is gone.
  for (const endMs = performance.now() + 5_000; after.value('messenger_workers') !== 2 && performance.now() < endMs;) after = await scrape(metricsPort)
  t.ok((after.commands['accepted/'] ?? 0) > before, 'no counter goes back')
  t.equal(after.value('messenger_workers'), 2)
  t.equal(after.value('messenger_worker_ends_total'), 1)
  t.equal(after.value('messenger_broker_connected'), 2)
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('a worker that cannot start is told of, and another takes its place', { skip }, async t => {
  // What the system says when there are no more files to open.
  const { server, port, says, pids } = await startTwo(t, {}, `import cluster from 'node:cluster'
    import { Server } from 'node:net'
    if (cluster.worker?.id === 3) Server.prototype.listen = function () {
      process.nextTick(() => { this.emit('error', Object.assign(new Error('listen EMFILE: too many open files'), { syscall: 'listen', code: 'EMFILE' })) })
      return this
    }`)
  process.kill(pids()[0] ?? 0, 'SIGKILL')
  await says('Server listening', 3)
  const lines = server.output.stdout.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  const told = lines.filter(({ worker, msg }) => worker === 3 && /a worker/.test(msg)).map(({ level, msg, reason, code }) => ({ level, msg, reason: reason?.split('\n')[0], code }))
  t.strictSame(told, [
    { level: 50, msg: 'a worker cannot start', reason: 'Error: listen EMFILE: too many open files', code: undefined },
    { level: 50, msg: 'a worker ended; another takes its place', reason: undefined, code: 1 }
  ])
  await says('connected to the broker', 3)
  t.equal(await post(port, await token(), false), 200)
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('a worker that finds a fault where the primary found none is told of, and another takes its place', { skip }, async t => {
  const { server, says, pids } = await startTwo(t, {}, `import cluster from 'node:cluster'
    if (cluster.worker?.id === 3) process.env.MICRO_OPS = 'push down'`)
  process.kill(pids()[0] ?? 0, 'SIGKILL')
  await says('Server listening', 3)
  const lines = server.output.stdout.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  t.match(lines.find(({ msg }) => msg === 'a worker cannot start'), { worker: 3, reason: /^The configuration has a fault:\n {2}- MICRO_OPS must be / })
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('a worker that takes the place of another has its configuration, whatever stands in .env by then', { skip }, async t => {
  const { server, says, pids } = await startTwo(t, {}, `import cluster from 'node:cluster'
    import { writeFileSync } from 'node:fs'
    if (cluster.worker?.id === 3) writeFileSync('.env', 'MICRO_OPS="push down"')`)
  process.kill(pids()[0] ?? 0, 'SIGKILL')
  await says('Server listening', 3)
  t.notOk(server.output.stdout.includes('a worker cannot start'))
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('goes on with the others where another cannot be started, and tries again', { skip }, async t => {
  // As Node.js does where the system has no memory for a process.
  const { server, says, pids } = await startTwo(t, {}, `import cluster from 'node:cluster'
    const { fork } = cluster
    let forks = 0
    if (cluster.isPrimary) cluster.fork = env => {
      forks += 1
      if (forks === 3) throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM', syscall: 'spawn' })
      return fork(env)
    }`)
  process.kill(pids()[0] ?? 0, 'SIGKILL')
  await says('Server listening', 3)
  t.match(server.output.stdout, /"reason":"Error: spawn ENOMEM"/)
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('all workers answer what they accepted when the primary is stopped, and it exits 0', { skip }, async t => {
  const { server, device, port, pids } = await startTwo(t)
  const callers = load(t, port, await token(), 16)
  await callers.reach(300)
  // As a terminal does, which signals the whole group.
  for (const pid of [...pids(), Number(server.pid)]) process.kill(pid, 'SIGINT')
  await callers.ended
  t.strictSame(await server.exit(), { code: 0, signal: null })
  t.strictSame([...callers.heard.keys()].filter(status => ![200, 503, 'ECONNRESET', 'ECONNREFUSED'].includes(status)), [], JSON.stringify([...callers.heard]))
  t.notOk(server.output.stdout.includes('takes its place'))
  await device.count(callers.count(200))
  t.equal(device.received.length, callers.count(200))
})

t.test('one key is published once, and a limit holds exactly, over two workers', { skip }, async t => {
  const { server, device, port } = await startTwo(t, { RATE_LIMIT_CALLER: '50/1h' })
  const [keyed, limited] = await Promise.all([token({ sub: 'keyed' }), token({ sub: 'limited' })])
  // A key that is under way is answered 409, and is no command of its caller.
  const statuses = await Promise.all(Array.from({ length: 200 }, () => post(port, keyed, false, { 'idempotency-key': 'k' })))
  t.ok(statuses.includes(200), JSON.stringify(statuses))
  await device.count(1)
  t.equal(device.received.length, 1)
  t.equal(device.received[0]?.topic, TOPIC)

  const answers = await Promise.all(Array.from({ length: 120 }, () => post(port, limited, false)))
  t.equal(answers.filter(status => status === 200).length, 50)
  t.equal(answers.filter(status => status === 429).length, 70)
  await device.count(51)
  t.equal(device.received.length, 51)
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})
