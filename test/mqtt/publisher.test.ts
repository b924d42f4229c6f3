import t from 'tap'
import type { Outcome } from '../../src/mqtt/outcome.js'
import type { Publication } from '../../src/mqtt/publication.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { outcomes, setUpPublisher } from '../helpers/publisher.js'

const NO_SLOT = { kind: 'not_sent', reason: 'no_slot' }
const NOT_CONNECTED = { kind: 'not_sent', reason: 'not_connected' }
const ACCEPTED = { kind: 'accepted', noSubscribers: false }
const TIMED_OUT = { kind: 'unknown', reason: 'timed_out' }

t.test('is not sent while there is no connection, and is not kept for one', async t => {
  const { send, openLink, written } = setUpPublisher()
  const result = send()
  t.strictSame(await outcomes(result), [NOT_CONNECTED])
  openLink()
  t.strictSame(written, [])
})

t.test('is accepted by a PUBACK under 0x80 and says where nobody is subscribed', async t => {
  const { publisher, send, openLink } = setUpPublisher()
  openLink()
  const [plain, alone] = [send(), send()]
  t.strictSame(await outcomes(plain), [undefined], 'not before the PUBACK')
  publisher.acknowledge(2, 0x10)
  publisher.acknowledge(1, 0)
  t.strictSame(await outcomes(plain, alone), [ACCEPTED, { kind: 'accepted', noSubscribers: true }])
  t.equal(publisher.inFlight, 0)
})

t.test('is not sent where the PUBACK is 0x80 or more', async t => {
  const { publisher, send, openLink } = setUpPublisher()
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
  const { publisher, send, openLink, written, advance } = setUpPublisher({ maxInflight: 1, queueTimeoutMs: 4000 })
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
  const { send, openLink, written } = setUpPublisher()
  openLink({ maximumPacketSize: 40 })
  t.strictSame(await outcomes(send()), [{ kind: 'not_sent', reason: 'too_large' }])
  t.strictSame(written, [])
  openLink({ maximumPacketSize: 400 })
  send()
  t.equal(written.length, 1)
})

t.test('is not sent, and takes no slot, where the connection did not write it', async t => {
  const { publisher, send, openLink } = setUpPublisher()
  openLink({ publish: () => undefined })
  t.strictSame(await outcomes(send()), [NOT_CONNECTED])
  t.equal(publisher.inFlight, 0)
})

t.test('waits for a slot in the order of arrival, at most as many as may wait', async t => {
  const { publisher, send, openLink, ids } = setUpPublisher()
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
  const { send, openLink, written } = setUpPublisher({ maxInflight: 10 })
  openLink({ receiveMaximum: 1 })
  send()
  send()
  t.equal(written.length, 1)
})

t.test('is not sent after the queue time-out', async t => {
  const { publisher, send, openLink, written, advance } = setUpPublisher({ maxInflight: 1 })
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
  const { publisher, send, openLink, written } = setUpPublisher({ clock: late, maxInflight: 1 })
  openLink()
  send()
  const waiting = send()
  nowMs = 1000
  publisher.acknowledge(1, 0)
  t.strictSame(await outcomes(waiting), [NO_SLOT])
  t.equal(written.length, 1)
})

t.test('is unknown after the publish time-out, which counts from the write', async t => {
  const { send, openLink, advance } = setUpPublisher({ maxInflight: 1, queueTimeoutMs: 6000 })
  openLink()
  const first = send()
  const second = send()
  advance(4999)
  t.strictSame(await outcomes(first), [undefined])
  advance(1)
  t.strictSame(await outcomes(first, second), [TIMED_OUT, undefined])
})

t.test('keeps its slot after the time-out until the late PUBACK, which changes no outcome', async t => {
  const late: Array<[string, Outcome]> = []
  const onLateOutcome = ({ id }: Publication, outcome: Outcome) => { late.push([id, outcome]) }
  const { publisher, send, openLink, written, advance } = setUpPublisher({ maxInflight: 1, onLateOutcome })
  openLink()
  const first = send()
  advance(5000)
  const second = send()
  t.equal(written.length, 1, 'the slot is still taken')
  t.equal(publisher.inFlight, 1)
  publisher.acknowledge(1, 0x87)
  t.strictSame(late, [['p1', { kind: 'not_sent', reason: 'refused', reasonCode: 0x87 }]])
  t.equal(written.length, 2)
  publisher.acknowledge(2, 0)
  t.strictSame(await outcomes(first, second), [TIMED_OUT, ACCEPTED])
})
