import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../helpers/until.js'
import { skipWithoutServices, startTwo } from '../helpers/workers.js'

const skip = skipWithoutServices

function isThere (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('a worker that is just starting is stopped with the others', { skip }, async t => {
  const { server, pids, says } = await startTwo(t, {}, `import cluster from 'node:cluster'
    import { setTimeout as sleep } from 'node:timers/promises'
    if (cluster.worker?.id === 3) await sleep(1_500)`)
  const [victim = 0] = pids()
  process.kill(victim, 'SIGKILL')
  await says('another takes its place', 1)
  await until(() => pids().length === 2 && !pids().includes(victim), 'the replacement')
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
  t.ok(server.output.stdout.includes('"worker":3'), 'it served before it heard of the end')
})

t.test('a worker that is just starting outlives a signal to the whole group, and is stopped with the others', { skip }, async t => {
  const { server, pids, says } = await startTwo(t, {}, `import cluster from 'node:cluster'
    import { Server } from 'node:net'
    const { listen } = Server.prototype
    if (cluster.worker?.id === 3) Server.prototype.listen = function (...args) {
      console.log('about to listen')
      setTimeout(() => { listen.apply(this, args) }, 1_500)
      return this
    }`)
  process.kill(pids()[0] ?? 0, 'SIGKILL')
  await says('about to listen', 1)
  for (const pid of [Number(server.pid), ...pids()]) process.kill(pid, 'SIGINT')
  t.strictSame(await server.exit(), { code: 0, signal: null })
})

t.test('no worker is replaced any more during a stop', { skip }, async t => {
  // A stop takes longer than it is until the next one is due.
  const { server, pids, says } = await startTwo(t, { DRAIN_DELAY_MS: '3000' }, `import cluster from 'node:cluster'
    if (cluster.isPrimary) cluster.on('fork', worker => { console.log('forked ' + worker.id) })
    if (cluster.worker?.id > 2) process.exit(3)`)
  process.kill(pids()[0] ?? 0, 'SIGKILL')
  await says('"afterMs":1600', 1)
  const forks = () => server.output.stdout.match(/forked/g)?.length
  const before = forks()
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 0, signal: null })
  t.equal(forks(), before)
})

t.test('says so, and exits 1, where a worker is killed during a stop', { skip }, async t => {
  const { server, pids, says } = await startTwo(t)
  const [victim = 0, other] = pids()
  process.kill(victim, 'SIGSTOP')
  server.kill('SIGTERM')
  await says('stopping', 1)
  await until(() => !pids().includes(Number(other)), 'the end of the other')
  process.kill(victim, 'SIGKILL')
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.ok(server.output.stdout.includes('1 of the workers did not end by themselves: their last requests may be without an answer'))
})

t.test('all workers are stopped, and it exits 1, after an error in the primary that nobody caught', { skip }, async t => {
  const { server, pids } = await startTwo(t, { METRICS_PORT: '' }, `import cluster from 'node:cluster'
    if (cluster.isPrimary) process.once('SIGUSR2', () => { throw new Error('nobody caught this') })`)
  const workers = pids()
  server.kill('SIGUSR2')
  t.strictSame(await server.exit(), { code: 1, signal: null })
  t.ok(server.output.stdout.includes('stopping after an error'))
  t.strictSame(workers.filter(isThere), [])
})

t.test('exits 1 after an error in the primary, also where it is then asked to stop', { skip }, async t => {
  const { server } = await startTwo(t, {}, `import cluster from 'node:cluster'
    if (cluster.isPrimary) process.once('SIGUSR2', () => {
      setImmediate(() => { process.kill(process.pid, 'SIGTERM') })
      throw new Error('nobody caught this')
    })`)
  server.kill('SIGUSR2')
  t.strictSame(await server.exit(), { code: 1, signal: null })
})

t.test('no worker outlives the primary, whatever it is busy with', { skip }, async t => {
  const { server, pids, says } = await startTwo(t, {}, `import cluster from 'node:cluster'
    if (cluster.worker?.id === 1) process.once('SIGUSR2', () => {
      console.log('is busy')
      for (;;);
    })`)
  const [busy = 0] = pids()
  t.teardown(() => {
    if (isThere(busy)) process.kill(busy, 'SIGKILL')
  })
  process.kill(busy, 'SIGUSR2')
  await says('is busy')
  server.kill('SIGTERM')
  await says('stopping')
  await sleep(1_100)
  server.kill('SIGTERM')
  t.strictSame(await server.exit(), { code: 1, signal: null })
  await until(() => !isThere(busy), 'its end')
})
