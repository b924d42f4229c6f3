import t from 'tap'
import type { SubscribableLink } from '../../src/mqtt/connection.js'
import { createReplySubscription } from '../../src/mqtt/reply-subscription.js'
import { createFakeClock } from '../helpers/fake-clock.js'

/** A subscription on a fake clock, with links that note what is asked for. */
function setUp () {
  const { clock, advance } = createFakeClock()
  const asked: string[] = []
  const told: Array<string | undefined> = []
  let links = 0
  const subscription = createReplySubscription({ filter: 'replies/+', timeoutMs: 1000, clock, log: { warn () {} } })

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
  return { subscription, open, advance, asked, told, ask: () => { subscription.whenKnown(obstacle => { told.push(obstacle) }) } }
}

const turn = () => new Promise(resolve => { setImmediate(resolve) })

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
  const { subscription, open, ask, told } = setUp()
  open()
  ask()
  subscription.acknowledge(0x87)
  ask()
  t.strictSame(told, ['no_reply_topic', 'no_reply_topic'])
  subscription.close()
  open()
  ask()
  subscription.close()
  t.strictSame(told.slice(2), ['not_connected'])
})

t.test('is in time with a SUBACK that was there before its time was looked at', async t => {
  const { subscription, open, ask, told, advance } = setUp()
  open()
  ask()
  advance(1000)
  subscription.acknowledge(0)
  await turn()
  t.strictSame(told, [undefined])
})

t.test('is overdue after its time, until the SUBACK comes', async t => {
  const { subscription, open, ask, told, advance } = setUp()
  open()
  ask()
  advance(1000)
  await turn()
  ask()
  t.strictSame(told, ['not_connected', 'not_connected'])
  subscription.acknowledge(0)
  ask()
  t.strictSame(told, ['not_connected', 'not_connected', undefined])
})

t.test('is not given up for a connection that has ended meanwhile', async t => {
  const { subscription, open, ask, told, advance } = setUp()
  open()
  ask()
  advance(1000)
  subscription.close()
  open()
  ask()
  await turn()
  t.strictSame(told, ['not_connected'])
})

t.test('is not made again by itself on the connection after one that ended before the SUBACK', async t => {
  const { subscription, open, ask, asked } = setUp()
  open()
  ask()
  subscription.close()
  open()
  t.strictSame(asked, ['link 1 replies/+'])
  ask()
  t.strictSame(asked, ['link 1 replies/+', 'link 2 replies/+'])
})
