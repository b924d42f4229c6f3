import t from 'tap'
import type { Outcome } from '../../src/mqtt/outcome.js'
import { createReplies, type Waited } from '../../src/mqtt/replies.js'
import type { WaitingPublication } from '../../src/mqtt/waiting-publication.js'
import { createFakeClock } from '../helpers/fake-clock.js'

const ACCEPTED: Outcome = { kind: 'accepted', noSubscribers: false }
const UNKNOWN: Outcome = { kind: 'unknown', reason: 'timed_out' }

/** Waits on a fake clock, whose publishes are settled by the test. */
function setUp (maxWaiters = 3) {
  const { clock, advance } = createFakeClock()
  const results: string[] = []
  const late: Waited[] = []
  const settle = new Map<string, (outcome: Outcome) => void>()
  const replies = createReplies({
    clock,
    maxWaiters,
    subscription: { whenKnown (tell) { tell(undefined) } },
    send: publication => new Promise(resolve => { settle.set(publication.id, resolve) }),
    onReply (result) { results.push(result) },
    onLate (waited) { late.push(waited) }
  })

  function wait (id: string, deadlineMs = 10_000, isWritten = true) {
    const publication: WaitingPublication = {
      id,
      topic: 'devices/1/commands',
      payload: 'push_down',
      contentType: 'text/plain',
      userProperties: {},
      expiresAtMs: clock.nowMs() + 30_000,
      replyTo: { topic: 'replies/1', isWritten }
    }
    return replies.wait(publication, deadlineMs)
  }

  const receive = (id: string, payload: string | Buffer = '1', topic = 'replies/1') => {
    replies.receive(topic, Buffer.from(payload), id === '' ? undefined : Buffer.from(id))
    return results.at(-1)
  }
  return { replies, wait, receive, advance, results, late, sent: () => [...settle.keys()], settle: (id: string, outcome: Outcome) => settle.get(id)?.(outcome) }
}

t.test('takes a reply for its own command only, and from the topic of its own device only', async t => {
  const { replies, wait, receive } = setUp()
  const first = wait('a')
  const second = wait('b')
  t.equal(receive('a', 'x', 'replies/2'), 'forged')
  t.equal(receive('c'), 'unknown')
  t.equal(replies.size, 2, 'nobody was answered by these')
  t.equal(receive('b', '"second"'), 'answered')
  t.equal(receive('a', '"first"'), 'answered')
  t.strictSame([(await first.ended).reply, (await second.ended).reply], ['"first"', '"second"'])
  t.equal(replies.size, 0)
})

t.test('drops what is too large or malformed', async t => {
  const { replies, wait, receive } = setUp()
  const { ended } = wait('a')
  t.equal(receive('a', 'x'.repeat(16_385)), 'too_large')
  t.equal(receive('a', Buffer.from([0xff])), 'malformed')
  t.equal(receive('', '{"id":"a"}'), 'malformed')
  t.equal(replies.size, 1)
  t.equal(receive('a', 'x'.repeat(16_384)), 'answered')
  t.equal((await ended).reply?.length, 16_386)
})

t.test('tells a second reply from a late one, and a late one but once', async t => {
  const { wait, receive, advance, late } = setUp()
  const answered = wait('a')
  receive('a')
  await answered.ended
  t.equal(receive('a'), 'duplicate')
  const timedOut = wait('b')
  advance(10_000)
  t.strictSame((await timedOut.ended).outcome, UNKNOWN)
  t.equal(receive('b', '2', 'replies/2'), 'forged')
  t.equal(receive('b', '2'), 'late')
  t.equal(receive('b', '3'), 'duplicate')
  t.strictSame(late.map(({ outcome, reply }) => [outcome, reply]), [[ACCEPTED, '2']])
})

t.test('remembers of those that have ended as many as may wait, the last ones', async t => {
  const { wait, receive } = setUp(3)
  for (const id of ['a', 'b', 'c', 'd']) {
    wait(id)
    receive(id)
  }
  t.equal(receive('a'), 'unknown')
  for (const id of ['b', 'c', 'd']) t.equal(receive(id), 'duplicate')
})

t.test('remembers one that ended without a reply for as many others that did, however many were answered meanwhile', async t => {
  const { wait, receive, advance, late } = setUp(2)
  wait('a')
  advance(10_000)
  for (const id of ['b', 'c', 'd', 'e']) {
    wait(id, 20_000)
    receive(id)
  }
  t.equal(receive('a', '2'), 'late')
  t.strictSame(late.map(({ reply }) => reply), ['2'])
  for (const id of ['f', 'g', 'h']) wait(id, 20_000).leave()
  t.equal(receive('f'), 'unknown')
  t.equal(receive('g'), 'late')
})

t.test('remembers one that ended without a reply, however many that ended after it were answered late', async t => {
  const { wait, receive } = setUp(3)
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    wait(id).leave()
    if (id !== 'a') t.equal(receive(id), 'late')
  }
  t.equal(receive('a'), 'late')
})

t.test('ends each wait at its own deadline, whatever their order', async t => {
  const { wait, advance } = setUp(10)
  const ended: number[] = []
  for (const deadlineMs of [5000, 1000, 9000, 3000]) wait(String(deadlineMs), deadlineMs).ended.then(() => { ended.push(deadlineMs) }, t.fail)
  const endedBy: number[] = []
  for (let second = 1; second <= 9; second += 1) {
    advance(1000)
    await new Promise(resolve => { setImmediate(resolve) })
    endedBy.push(ended.length)
  }
  t.strictSame(ended, [1000, 3000, 5000, 9000])
  t.strictSame(endedBy, [1, 1, 2, 2, 3, 3, 3, 3, 4])
})

t.test('is full where as many wait as may, and not any more when one leaves', async t => {
  const { replies, wait, settle, receive } = setUp(2)
  const first = wait('a')
  wait('b')
  t.ok(replies.isFull)
  first.leave()
  first.leave()
  t.notOk(replies.isFull)
  settle('a', ACCEPTED)
  const { outcome, reply } = await first.ended
  t.strictSame([outcome, reply], [ACCEPTED, undefined], 'the outcome of its command is still found out')
  first.leave()
  t.equal(receive('a'), 'late')
})

t.test('ends with the reply that comes after its caller has left and before the outcome', async t => {
  const { wait, receive, late } = setUp()
  const { ended, leave } = wait('a')
  leave()
  t.equal(receive('a'), 'late')
  t.equal((await ended).reply, '1')
  t.strictSame(late, [])
})

t.test('ends as soon as it is known that there will be no reply', async t => {
  const { wait, settle } = setUp()
  const outcomes: Outcome[] = [{ kind: 'not_sent', reason: 'no_slot' }, { kind: 'accepted', noSubscribers: true }]
  for (const [n, outcome] of outcomes.entries()) {
    const { ended } = wait(String(n))
    settle(String(n), outcome)
    t.strictSame((await ended).outcome, outcome)
  }
})

t.test('takes an outcome that is known late for waits that go on, that are over, and for none that is forgotten', async t => {
  const { replies, wait, settle, advance, receive, late } = setUp()
  const { ended } = wait('a')
  const publication = { id: 'a', topic: '', payload: '', contentType: '', userProperties: {}, expiresAtMs: 0 }
  settle('a', UNKNOWN)
  await new Promise(resolve => { setImmediate(resolve) })
  replies.settleLate(publication, ACCEPTED)
  advance(10_000)
  t.strictSame((await ended).outcome, ACCEPTED)
  replies.settleLate(publication, ACCEPTED)
  replies.settleLate({ ...publication, id: 'never' }, ACCEPTED)
  const timedOut = wait('b', 20_000)
  advance(10_000)
  await timedOut.ended
  settle('b', { kind: 'unknown', reason: 'connection_lost' })
  await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame(late, [])
  receive('b')
  replies.settleLate({ ...publication, id: 'b' }, ACCEPTED)
  t.equal(late.length, 1, 'the reply; what its PUBACK says is known from that')
})

t.test('leaves no timer behind where all waits are ended at once', async t => {
  const time = createFakeClock()
  const replies = createReplies({
    clock: time.clock,
    maxWaiters: 2,
    subscription: { whenKnown (tell) { tell('not_connected') } },
    send: async () => ACCEPTED,
    onReply () {},
    onLate () {}
  })
  replies.endAll()
  t.equal(time.pendingTimers, 0)
})

t.test('sends nothing for a wait that begins after all were ended, and ends it at once', async t => {
  const { replies, wait, sent } = setUp()
  const before = wait('a')
  replies.endAll()
  const after = wait('b', 10_000, false)
  t.strictSame((await before.ended).outcome, UNKNOWN)
  t.strictSame((await after.ended).outcome, { kind: 'not_sent', reason: 'expired' })
  t.strictSame(sent(), ['a'])
  t.equal(replies.size, 0)
})

t.test('sends nothing for a wait that is over when it begins', async t => {
  const { replies, wait, advance, sent } = setUp()
  advance(10_000)
  t.strictSame((await wait('a', 10_000, false).ended).outcome, { kind: 'not_sent', reason: 'expired' })
  t.strictSame(sent(), [])
  t.equal(replies.size, 0)
})
