import t from 'tap'
import { createFakeClock } from '../helpers/fake-clock.js'
import { createTimeline } from './timeline.js'

const SETTLE_MS = 100

function create () {
  const { clock, advance } = createFakeClock()
  return { timeline: createTimeline(SETTLE_MS, clock.nowMs), advance }
}

/** One connection up, for 1,000 ms. */
function createConnected () {
  const created = create()
  created.timeline.connected(1)
  created.advance(1_000)
  return created
}

t.test('is not healthy before there is a connection, and has no window', async t => {
  const { timeline } = create()
  t.notOk(timeline.isHealthy)
  timeline.connected(1)
  t.ok(timeline.isHealthy)
  t.strictSame(timeline.windows, [])
})

t.test('closes a window the settle time after a fault that no connection died of', async t => {
  const { timeline, advance } = createConnected()
  timeline.begin('delay')
  advance(50)
  t.notOk(timeline.isHealthy)
  timeline.end()
  advance(99)
  t.notOk(timeline.isHealthy)
  advance(1)
  t.ok(timeline.isHealthy)
  advance(500)
  t.strictSame(timeline.windows, [{ kinds: ['delay'], startMs: 1_000, endMs: 1_150 }])
})

t.test('keeps a window open until a new connection is up, and the settle time after that', async t => {
  const { timeline, advance } = createConnected()
  timeline.begin('cut')
  timeline.disconnected(1)
  timeline.end()
  advance(5_000)
  t.notOk(timeline.isHealthy)
  timeline.connected(2)
  advance(100)
  t.ok(timeline.isHealthy)
  t.strictSame(timeline.windows, [{ kinds: ['cut'], startMs: 1_000, endMs: 6_100 }])
})

t.test('does not count a connection that is made while the fault lasts before its end', async t => {
  const { timeline, advance } = createConnected()
  timeline.begin('drip')
  timeline.disconnected(1)
  timeline.connected(2)
  advance(1_000)
  t.notOk(timeline.isHealthy)
  timeline.end()
  advance(100)
  t.strictSame(timeline.windows, [{ kinds: ['drip'], startMs: 1_000, endMs: 2_100 }])
})

t.test('begins the settle time anew where the connection comes down within it', async t => {
  const { timeline, advance } = createConnected()
  timeline.begin('stall-down')
  timeline.end()
  advance(99)
  timeline.disconnected(1)
  advance(400)
  timeline.connected(2)
  advance(100)
  t.ok(timeline.isHealthy)
  t.strictSame(timeline.windows, [{ kinds: ['stall-down'], startMs: 1_000, endMs: 1_599 }])
})

t.test('has no window for a connection that comes down without a fault', async t => {
  const { timeline, advance } = createConnected()
  timeline.disconnected(1)
  t.notOk(timeline.isHealthy)
  advance(500)
  timeline.connected(2)
  advance(500)
  t.ok(timeline.isHealthy)
  t.strictSame(timeline.windows, [])
})

t.test('takes faults that follow each other before a recovery for one window', async t => {
  const { timeline, advance } = createConnected()
  timeline.begin('cut')
  timeline.end()
  advance(99)
  timeline.begin('drip')
  advance(10)
  timeline.end()
  advance(100)
  timeline.begin('delay')
  advance(5)
  t.strictSame(timeline.windows, [
    { kinds: ['cut', 'drip'], startMs: 1_000, endMs: 1_209 },
    { kinds: ['delay'], startMs: 1_209, endMs: 1_214 }
  ], 'the last one is still open')
})

t.test('opens a window in the past for a fault that is seen late', async t => {
  const { timeline, advance } = createConnected()
  timeline.begin('suite-stall', 600)
  timeline.end()
  advance(100)
  t.ok(timeline.isHealthy)
  t.strictSame(timeline.windows, [{ kinds: ['suite-stall'], startMs: 600, endMs: 1_100 }])
})
