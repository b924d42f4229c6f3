import t from 'tap'
import { createFakeClock } from '../helpers/fake-clock.js'
import { outcomes, setUpPublisher } from '../helpers/publisher.js'

const NOT_CONNECTED = { kind: 'not_sent', reason: 'not_connected' }
const TIMED_OUT = { kind: 'unknown', reason: 'timed_out' }
const LOST = { kind: 'unknown', reason: 'connection_lost' }

t.test('drops a connection that acknowledged nothing for twice the publish time-out', async t => {
  const { send, openLink, advance, drops } = setUpPublisher()
  openLink()
  const result = send()
  advance(9999)
  t.strictSame(drops, [])
  advance(1)
  t.strictSame(drops, ['no PUBACK for 10000 ms with publishes in flight'])
  t.strictSame(await outcomes(result), [TIMED_OUT])
})

t.test('does not drop a connection that acknowledges others, nor one that is idle', async t => {
  const { publisher, send, openLink, advance, drops, written } = setUpPublisher()
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
  const { publisher, send, openLink, advance, drops } = setUpPublisher()
  openLink()
  send()
  publisher.acknowledge(1, 0)
  advance(60_000)
  send()
  advance(9999)
  t.strictSame(drops, [])
})

t.test('settles everything at the end of a connection, and passes nothing to the next', async t => {
  const { publisher, send, openLink, written, advance } = setUpPublisher({ maxInflight: 1 })
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
  const { publisher, send, openLink, advance, written } = setUpPublisher({ maxInflight: 1 })
  openLink()
  send()
  advance(5000)
  publisher.close()
  openLink()
  send()
  t.equal(written.length, 2)
})

t.test('leaves no timer behind', async t => {
  const time = createFakeClock()
  const { publisher, send, openLink } = setUpPublisher({ clock: time.clock })
  openLink()
  send()
  publisher.acknowledge(1, 0)
  time.advance(5000)
  t.equal(time.pendingTimers, 0)
  send()
  publisher.close()
  t.equal(time.pendingTimers, 0)
})
