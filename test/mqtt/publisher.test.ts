import t, { type Test } from 'tap'
import type { Outcome } from '../../src/mqtt/outcome.js'
import type { Publication } from '../../src/mqtt/publication.js'
import { createPublisher, type Link, type PublisherOptions } from '../../src/mqtt/publisher.js'
import { createFakeClock } from '../helpers/fake-clock.js'

interface Written { readonly packetId: number, readonly id: string, readonly expiryS: number }

const NO_SLOT = { kind: 'not_sent', reason: 'no_slot' }
const NOT_CONNECTED = { kind: 'not_sent', reason: 'not_connected' }
const ACCEPTED = { kind: 'accepted', noSubscribers: false }
const TIMED_OUT = { kind: 'unknown', reason: 'timed_out' }
const LOST = { kind: 'unknown', reason: 'connection_lost' }

function setUp (options: Partial<PublisherOptions> = {}) {
  const { clock, advance } = createFakeClock()
  const publisher = createPublisher({ clock, publishTimeoutMs: 5000, queueTimeoutMs: 1000, maxInflight: 2, maxQueue: 3, ...options })
  const written: Written[] = []
  const drops: string[] = []
  let made = 0

  function openLink (overrides: Partial<Link> = {}): void {
    publisher.open({
      receiveMaximum: 65_535,
      maximumPacketSize: undefined,
      publish ({ id }, expiryS) {
        written.push({ packetId: written.length + 1, id, expiryS })
        return written.length
      },
      drop (reason) {
        drops.push(reason)
        publisher.close()
      },
      ...overrides
    })
  }

  /** Sends, and keeps the outcome where the test can see whether it has come. */
  function send (expiresInMs = 30_000): { outcome: Outcome | undefined } {
    made += 1
    const publication: Publication = {
      id: `p${made}`,
      topic: 'devices/1/commands',
      payload: 'push_down',
      contentType: 'text/plain',
      userProperties: {},
      expiresAtMs: clock.nowMs() + expiresInMs
    }
    const result: { outcome: Outcome | undefined } = { outcome: undefined }
    publisher.send(publication).then(outcome => { result.outcome = outcome }, t.fail)
    return result
  }

  return { publisher, written, drops, openLink, send, advance, ids: () => written.map(({ id }) => id) }
}

/** Lets settled promises be seen. */
const settled = () => new Promise<void>(resolve => { setImmediate(resolve) })

async function outcomes (...results: Array<{ outcome: Outcome | undefined }>) {
  await settled()
  return results.map(({ outcome }) => outcome)
}

t.test('is not sent while there is no connection, and is not kept for one', async t => {
  const { send, openLink, written } = setUp()
  const result = send()
  t.strictSame(await outcomes(result), [NOT_CONNECTED])
  openLink()
  t.strictSame(written, [])
})

t.test('is accepted by a PUBACK under 0x80 and says where nobody is subscribed', async t => {
  const { publisher, send, openLink } = setUp()
  openLink()
  const [plain, alone] = [send(), send()]
  t.strictSame(await outcomes(plain), [undefined], 'not before the PUBACK')
  publisher.acknowledge(2, 0x10)
  publisher.acknowledge(1, 0)
  t.strictSame(await outcomes(plain, alone), [ACCEPTED, { kind: 'accepted', noSubscribers: true }])
  t.equal(publisher.inFlight, 0)
})

t.test('is not sent where the PUBACK is 0x80 or more', async t => {
  const { publisher, send, openLink } = setUp()
  openLink()
  const [lowest, denied] = [send(), send()]
  publisher.acknowledge(1, 0x80)
  publisher.acknowledge(2, 0x87)
  t.strictSame(await outcomes(lowest, denied), [
    { kind: 'not_sent', reason: 'refused', reasonCode: 0x80 },
    { kind: 'not_sent', reason: 'refused', reasonCode: 0x87 }
  ])
})

t.test('writes the seconds that are left, rounded up, and nothing when none is left', async t => {
  const { publisher, send, openLink, written, advance } = setUp({ maxInflight: 1, queueTimeoutMs: 4000 })
  openLink()
  send(2001)
  const late = send(3000)
  const expired = send(3000)
  advance(1500)
  publisher.acknowledge(1, 0)
  t.strictSame(written.map(({ expiryS }) => expiryS), [3, 2])
  advance(1500)
  publisher.acknowledge(2, 0)
  t.strictSame(await outcomes(late, expired), [ACCEPTED, { kind: 'not_sent', reason: 'expired' }])
  t.equal(written.length, 2)
})

t.test('is not sent where it is larger than the broker accepts', async t => {
  const { send, openLink, written } = setUp()
  openLink({ maximumPacketSize: 40 })
  t.strictSame(await outcomes(send()), [{ kind: 'not_sent', reason: 'too_large' }])
  t.strictSame(written, [])
  openLink({ maximumPacketSize: 400 })
  send()
  t.equal(written.length, 1)
})

t.test('is not sent, and takes no slot, where the connection did not write it', async t => {
  const { publisher, send, openLink } = setUp()
  openLink({ publish: () => undefined })
  t.strictSame(await outcomes(send()), [NOT_CONNECTED])
  t.equal(publisher.inFlight, 0)
})

t.test('waits for a slot in the order of arrival, at most as many as may wait', async t => {
  const { publisher, send, openLink, ids } = setUp()
  openLink()
  const results = [send(), send(), send(), send(), send()]
  const refused = send()
  t.strictSame(await outcomes(refused), [NO_SLOT], 'the queue is full')
  t.strictSame(ids(), ['p1', 'p2'])
  t.equal(publisher.waiting, 3)
  publisher.acknowledge(2, 0)
  t.strictSame(ids(), ['p1', 'p2', 'p3'])
  const last = send()
  for (const packetId of [1, 3, 4, 5, 6]) publisher.acknowledge(packetId, 0)
  t.strictSame(ids(), ['p1', 'p2', 'p3', 'p4', 'p5', 'p7'])
  t.strictSame(await outcomes(...results, last), Array(6).fill(ACCEPTED))
})

t.test('keeps to the Receive Maximum of the broker where that is smaller', async t => {
  const { send, openLink, written } = setUp({ maxInflight: 10 })
  openLink({ receiveMaximum: 1 })
  send()
  send()
  t.equal(written.length, 1)
})

t.test('is not sent after the queue time-out', async t => {
  const { publisher, send, openLink, written, advance } = setUp({ maxInflight: 1 })
  openLink()
  send()
  const first = send()
  advance(400)
  const second = send()
  advance(599)
  t.strictSame(await outcomes(first, second), [undefined, undefined])
  advance(1)
  t.strictSame(await outcomes(first, second), [NO_SLOT, undefined])
  advance(400)
  t.strictSame(await outcomes(second), [NO_SLOT])
  publisher.acknowledge(1, 0)
  t.equal(written.length, 1, 'a slot that comes free later changes nothing')
})

t.test('does not write at dequeue what has waited too long, even before its timer ran', async t => {
  const { clock } = createFakeClock()
  let nowMs = 0
  const late = { ...clock, nowMs: () => nowMs, after: () => () => {} }
  const { publisher, send, openLink, written } = setUp({ clock: late, maxInflight: 1 })
  openLink()
  send()
  const waiting = send()
  nowMs = 1000
  publisher.acknowledge(1, 0)
  t.strictSame(await outcomes(waiting), [NO_SLOT])
  t.equal(written.length, 1)
})

t.test('is unknown after the publish time-out, which counts from the write', async t => {
  const { send, openLink, advance } = setUp({ maxInflight: 1, queueTimeoutMs: 6000 })
  openLink()
  const first = send()
  const second = send()
  advance(4999)
  t.strictSame(await outcomes(first), [undefined])
  advance(1)
  t.strictSame(await outcomes(first, second), [TIMED_OUT, undefined])
})

t.test('keeps its slot after the time-out until the late PUBACK, which changes no outcome', async t => {
  const late: Array<[string, number]> = []
  const onLatePuback = ({ id }: Publication, reasonCode: number) => { late.push([id, reasonCode]) }
  const { publisher, send, openLink, written, advance } = setUp({ maxInflight: 1, onLatePuback })
  openLink()
  const first = send()
  advance(5000)
  const second = send()
  t.equal(written.length, 1, 'the slot is still taken')
  t.equal(publisher.inFlight, 1)
  publisher.acknowledge(1, 0x87)
  t.strictSame(late, [['p1', 0x87]])
  t.equal(written.length, 2)
  publisher.acknowledge(2, 0)
  t.strictSame(await outcomes(first, second), [TIMED_OUT, ACCEPTED])
})

t.test('drops a connection that acknowledged nothing for twice the publish time-out', async t => {
  const { send, openLink, advance, drops } = setUp()
  openLink()
  const result = send()
  advance(9999)
  t.strictSame(drops, [])
  advance(1)
  t.strictSame(drops, ['no PUBACK for 10000 ms with publishes in flight'])
  t.strictSame(await outcomes(result), [TIMED_OUT])
})

t.test('does not drop a connection that acknowledges others, nor one that is idle', async t => {
  const { publisher, send, openLink, advance, drops, written } = setUp()
  openLink()
  advance(60_000)
  send()
  for (let round = 0; round < 10; round += 1) {
    send()
    advance(4000)
    publisher.acknowledge(written.length, 0)
  }
  t.strictSame(drops, [])
  advance(10_000)
  t.equal(drops.length, 1, 'the one that was never acknowledged')
})

t.test('counts the silence from the first publish, not from the last PUBACK', async t => {
  const { publisher, send, openLink, advance, drops } = setUp()
  openLink()
  send()
  publisher.acknowledge(1, 0)
  advance(60_000)
  send()
  advance(9999)
  t.strictSame(drops, [])
})

t.test('settles everything at the end of a connection, and passes nothing to the next', async t => {
  const { publisher, send, openLink, written, advance } = setUp({ maxInflight: 1 })
  openLink()
  const flying = send()
  const waiting = send()
  publisher.close()
  t.strictSame(await outcomes(flying, waiting), [LOST, NOT_CONNECTED])
  openLink()
  advance(60_000)
  t.equal(written.length, 1)
  t.equal(publisher.inFlight, 0)
  publisher.acknowledge(1, 0)
  t.equal(publisher.inFlight, 0, 'a PUBACK nobody waits for is ignored')
})

t.test('frees the slots of timed-out publishes at the end of their connection', async t => {
  const { publisher, send, openLink, advance, written } = setUp({ maxInflight: 1 })
  openLink()
  send()
  advance(5000)
  publisher.close()
  openLink()
  send()
  t.equal(written.length, 2)
})

t.test('leaves no timer behind', async (t: Test) => {
  const time = createFakeClock()
  const { publisher, send, openLink } = setUp({ clock: time.clock })
  openLink()
  send()
  publisher.acknowledge(1, 0)
  time.advance(5000)
  t.equal(time.pendingTimers, 0)
  send()
  publisher.close()
  t.equal(time.pendingTimers, 0)
})
