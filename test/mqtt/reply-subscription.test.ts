import t from 'tap'
import type { SubscribableLink } from '../../src/mqtt/connection.js'
import { createReplySubscription } from '../../src/mqtt/reply-subscription.js'
import { createFakeClock } from '../helpers/fake-clock.js'

/** A subscription on a fake clock, with links that note what is asked for. */
function setUp () {
  const { clock, advance } = createFakeClock()
  const asked: string[] = []
  const told: Array<string | undefined> = []
  const warnings: object[] = []
  let links = 0
  const subscription = createReplySubscription({ filter: 'replies/+', timeoutMs: 1000, clock, log: { warn (fields: object) { warnings.push(fields) } } })

  function open (): void {
    const name = `link ${links += 1}`
    const link: SubscribableLink = {
      receiveMaximum: 1,
      maximumPacketSize: undefined,
      publish: () => undefined,
      subscribe (filter) { asked.push(`${name} ${filter}`) },
      drop () {}
    }
    subscription.open(link)
  }
  return { subscription, open, advance, asked, told, warnings, ask: () => { subscription.whenKnown(obstacle => { told.push(obstacle) }) } }
}

t.test('is made when somebody asks for it, once, and then on each new connection', async t => {
  const { subscription, open, ask, asked, told } = setUp()
  ask()
  t.strictSame(told, ['not_connected'])
  open()
  t.strictSame(asked, [])
  ask()
  ask()
  t.strictSame(asked, ['link 1 replies/+'])
  subscription.acknowledge(0)
  ask()
  t.strictSame(told, ['not_connected', undefined, undefined, undefined])
  subscription.close()
  open()
  t.strictSame(asked, ['link 1 replies/+', 'link 2 replies/+'])
})

t.test('tells those who ask that there is none where it is refused, or its connection ends', async t => {
  const { subscription, open, ask, told, advance } = setUp()
  open()
  ask()
  subscription.acknowledge(0x87)
  ask()
  t.strictSame(told, ['no_reply_topic', 'no_reply_topic'])
  subscription.close()
  advance(1_000)
  open()
  ask()
  subscription.close()
  t.strictSame(told.slice(2), ['not_connected'])
})

t.test('is overdue after its time, until the SUBACK comes', async t => {
  const { subscription, open, ask, told, advance, warnings } = setUp()
  open()
  ask()
  advance(1000)
  ask()
  t.strictSame(told, ['not_connected', 'not_connected'])
  t.strictSame(warnings, [{ filter: 'replies/+', timeoutMs: 1000 }])
  subscription.acknowledge(0)
  ask()
  t.strictSame(told, ['not_connected', 'not_connected', undefined])
})

t.test('is not given up for a connection that has ended meanwhile', async t => {
  const { subscription, open, ask, told, advance } = setUp()
  open()
  ask()
  subscription.acknowledge(0)
  subscription.close()
  open()
  ask()
  advance(1000)
  subscription.close()
  open()
  ask()
  t.strictSame(told, [undefined, 'not_connected'])
})

t.test('is left alone for a while after a connection that ended before the first SUBACK, each time for longer', async t => {
  const { subscription, open, ask, asked, told, advance, warnings } = setUp()
  const pausesMs = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
  for (const [n, pauseMs] of pausesMs.entries()) {
    open()
    t.equal(asked.length, n, 'not asked for by itself')
    ask()
    t.equal(asked.length, n + 1)
    subscription.close()
    t.strictSame(warnings.at(-1), { filter: 'replies/+', pauseMs })
    open()
    told.length = 0
    advance(pauseMs - 1)
    ask()
    t.strictSame(told, ['no_reply_topic'], 'nobody has a connection end again')
    t.equal(asked.length, n + 1)
    subscription.close()
    advance(1)
  }
})

t.test('is made again by itself on each new connection once it was granted, also after one that ended before the SUBACK', async t => {
  const { subscription, open, ask, asked, told } = setUp()
  open()
  ask()
  subscription.acknowledge(0)
  for (let time = 0; time < 2; time += 1) {
    subscription.close()
    open()
    subscription.close()
    open()
    subscription.acknowledge(0)
  }
  t.strictSame(asked, ['link 1 replies/+', 'link 2 replies/+', 'link 3 replies/+', 'link 4 replies/+', 'link 5 replies/+'])
  ask()
  t.strictSame(told, [undefined, undefined])
})

t.test('is left alone also where it was granted before, once four connections in a row ended before the SUBACK', async t => {
  const { subscription, open, ask, asked, told, advance, warnings } = setUp()
  open()
  ask()
  subscription.acknowledge(0)
  subscription.close()
  for (let time = 0; time < 3; time += 1) {
    open()
    subscription.close()
  }
  t.strictSame(warnings, [], 'they may have ended for anything')
  open()
  subscription.close()
  t.strictSame(warnings, [{ filter: 'replies/+', pauseMs: 1_000 }])
  open()
  ask()
  t.strictSame([asked.length, told.at(-1)], [5, 'no_reply_topic'], 'plain commands keep their connection')
  advance(1_000)
  ask()
  subscription.acknowledge(0)
  t.strictSame([asked.length, told.at(-1)], [6, undefined])
  subscription.close()
  open()
  t.equal(asked.length, 7, 'by itself again')
})

t.test('is asked for again on the same connection a while after it was refused, each time after longer, where somebody waits', async t => {
  const { subscription, open, ask, asked, told, advance, warnings } = setUp()
  open()
  ask()
  subscription.acknowledge(0x97)
  advance(999)
  ask()
  t.strictSame([asked.length, told], [1, ['no_reply_topic', 'no_reply_topic']])
  advance(1)
  ask()
  t.strictSame([asked.length, told.length], [2, 2])
  subscription.acknowledge(0x97)
  advance(1_999)
  ask()
  t.strictSame([asked.length, told.at(-1)], [2, 'no_reply_topic'])
  advance(1)
  ask()
  subscription.acknowledge(0)
  t.strictSame([asked.length, told.at(-1)], [3, undefined])
  t.strictSame(warnings, [
    { filter: 'replies/+', reasonCode: 0x97, pauseMs: 1_000 }, { filter: 'replies/+', reasonCode: 0x97, pauseMs: 2_000 }
  ])
})

t.test('is not asked for by a new connection while the pause after a refusal lasts', async t => {
  const { subscription, open, ask, asked, advance, warnings } = setUp()
  open()
  ask()
  subscription.acknowledge(0x87)
  subscription.close()
  open()
  t.equal(asked.length, 1)
  advance(1_000)
  subscription.close()
  open()
  t.equal(asked.length, 2)
  t.equal(warnings.length, 1)
})

t.test('hears no SUBACK that nobody has asked for', async t => {
  const { subscription, open, ask, asked, told } = setUp()
  open()
  subscription.acknowledge(0)
  ask()
  t.strictSame([asked.length, told], [1, []])
  subscription.acknowledge(0)
  subscription.acknowledge(0x87)
  ask()
  t.strictSame(told, [undefined, undefined])
})
