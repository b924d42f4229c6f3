import { Counter, Gauge, Registry } from 'prom-client'
import t from 'tap'
import type { Snapshot } from '../../src/workers/messages.js'
import { createSharedMetrics } from '../../src/workers/shared-metrics.js'
import { createFakeClock } from '../helpers/fake-clock.js'

/** What a worker tells that has answered so many requests and holds so many connections. */
async function figures (requests: number, connections: number): Promise<Snapshot> {
  const registers = [new Registry()]
  new Counter({ name: 'requests_total', help: 'Requests', registers }).inc(requests)
  new Gauge({ name: 'connections', help: 'Connections', registers }).set(connections)
  return await registers[0]?.getMetricsAsJSON() ?? []
}

function valuesOf (text: string): Readonly<Record<string, number>> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map(line => line.split(' ')).map(([name, value]) => [name, Number(value)]))
}

t.test('adds up the figures of all workers, and keeps what one counted that has ended', async t => {
  const metrics = createSharedMetrics(createFakeClock().clock, 2)
  metrics.add(1, async scrape => { metrics.take(1, scrape, await figures(10, 3)) })
  metrics.add(2, async scrape => { metrics.take(2, scrape, await figures(5, 4)) })
  t.strictSame(valuesOf(await metrics.expose()), { messenger_workers_wanted: 2, messenger_workers: 2, messenger_worker_ends_total: 0, requests_total: 15, connections: 7 })

  metrics.take(2, undefined, await figures(6, 0))
  metrics.remove(2, false)
  t.strictSame(valuesOf(await metrics.expose()), { messenger_workers_wanted: 2, messenger_workers: 1, messenger_worker_ends_total: 0, requests_total: 16, connections: 3 })
})

t.test('does without the figures of a worker that takes too long, until they come', async t => {
  const { clock, advance } = createFakeClock()
  const metrics = createSharedMetrics(clock, 2)
  metrics.add(1, async scrape => { metrics.take(1, scrape, await figures(10, 3)) })
  metrics.add(2, () => {})
  const exposed = metrics.expose()
  await new Promise(resolve => { setImmediate(resolve) })
  advance(1_000)
  t.equal(valuesOf(await exposed).requests_total, 10)
  metrics.take(2, 1, await figures(5, 4))
  metrics.remove(1, false)
  const next = metrics.expose()
  advance(1_000)
  t.equal(valuesOf(await next).requests_total, 15, 'of the scrape before')
})

t.test('does not wait for a worker that ends during a scrape, whether it told anything or not', async t => {
  const { clock } = createFakeClock()
  const metrics = createSharedMetrics(clock, 2)
  metrics.add(1, () => {})
  const exposed = metrics.expose()
  metrics.remove(1, true)
  t.strictSame(valuesOf(await exposed), { messenger_workers_wanted: 2, messenger_workers: 0, messenger_worker_ends_total: 1 })
})

t.test('says that there are no workers where there are none yet', async t => {
  const { clock } = createFakeClock()
  t.strictSame(valuesOf(await createSharedMetrics(clock, 2).expose()), { messenger_workers_wanted: 2, messenger_workers: 0, messenger_worker_ends_total: 0 })
})

t.test('does not count a worker twice that tells its figures after it was given up', async t => {
  const metrics = createSharedMetrics(createFakeClock().clock, 2)
  metrics.add(1, () => {})
  metrics.take(1, undefined, await figures(10, 3))
  metrics.remove(1, false)
  metrics.take(1, undefined, await figures(11, 3))
  t.strictSame(valuesOf(await metrics.expose()), { messenger_workers_wanted: 2, messenger_workers: 0, messenger_worker_ends_total: 0, requests_total: 10 })
})
