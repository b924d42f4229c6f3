import t, { type Test } from 'tap'
import { systemClock } from '../../src/clock.js'
import { backoffCeilingMs, keepConnected, withoutCredentials } from '../../src/mqtt/reconnect.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { freePort } from '../helpers/ports.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

function setUp (t: Test, urls: string[], clock = systemClock) {
  const lines: string[] = []
  const log = (level: string) => (_object: object, message?: string) => { lines.push(`${level}: ${message}`) }
  let opens = 0
  let closes = 0
  const keeper = keepConnected({
    urls,
    clientId: 'messenger-test',
    protocolVersion: '5',
    clock,
    random: () => 0.5,
    log: { info: log('info'), warn: log('warn'), debug: log('debug') }
  }, {
    onOpen () { opens += 1 },
    onClose () { closes += 1 },
    onPuback () {},
    onSuback () {},
    onMessage () {}
  })
  t.teardown(() => keeper.stop(0))
  return { keeper, lines, get opens () { return opens }, get closes () { return closes } }
}

t.test('backs off from 100 ms to 2 s', async t => {
  t.strictSame([1, 2, 3, 4, 5, 6, 7, 100].map(backoffCeilingMs), [100, 200, 400, 800, 1600, 2000, 2000, 2000])
})

t.test('shows a broker without its credentials', async t => {
  t.equal(withoutCredentials('mqtts://user:secret@broker.example:8883'), 'mqtts://broker.example:8883')
  t.equal(withoutCredentials('wss://user:secret@broker.example/mqtt?token=secret'), 'wss://broker.example/mqtt')
})

t.test('tries the brokers in turn until one answers', async t => {
  const broker = await startScriptedBroker(t)
  const state = setUp(t, [`mqtt://127.0.0.1:${await freePort()}`, `mqtt://127.0.0.1:${await freePort()}`, broker.url])
  await until(() => state.opens === 1, 'the connection')
  t.ok(state.keeper.isOpen)
  t.equal(state.closes, 0, 'what never opened does not close')
  t.strictSame(state.lines, [
    'warn: cannot reach the broker; trying again until it answers',
    'debug: cannot reach the broker',
    'info: connected to the broker'
  ])
})

t.test('builds a new connection when one is lost, and logs each change of state once', async t => {
  const broker = await startScriptedBroker(t)
  const state = setUp(t, [broker.url])
  await until(() => state.opens === 1, 'the connection')
  broker.connections[0]?.socket.destroy()
  await until(() => state.opens === 2, 'the next connection')
  t.equal(state.closes, 1)
  t.strictSame(state.lines, ['info: connected to the broker', 'warn: lost the broker connection', 'info: connected to the broker'])
})

t.test('waits longer while connections do not last, and starts over after one that did', async t => {
  const { clock, advance } = createFakeClock()
  const broker = await startScriptedBroker(t)
  const waits: number[] = []
  const state = setUp(t, [broker.url], { ...clock, after (delayMs, run) { waits.push(delayMs); return clock.after(delayMs, run) } })
  for (const lastsMs of [0, 0, 1999, 2000]) {
    const before = state.closes
    await until(() => state.opens === before + 1, 'a connection')
    advance(lastsMs)
    broker.connections.at(-1)?.socket.destroy()
    await until(() => state.closes === before + 1, 'its end')
    advance(2000)
  }
  t.strictSame(waits, [50, 100, 200, 50], 'half of each ceiling, as the jitter of this test says')
})

t.test('stops while it waits for the next attempt', async t => {
  const { clock, pendingTimers } = createFakeClock()
  const state = setUp(t, [`mqtt://127.0.0.1:${await freePort()}`], clock)
  await until(() => state.lines.length === 1, 'the failure')
  await state.keeper.stop(1000)
  t.equal(pendingTimers, 0)
  t.notOk(state.keeper.isOpen)
})

t.test('stops while it connects', async t => {
  const broker = await startScriptedBroker(t, { onConnect () {} })
  const state = setUp(t, [broker.url])
  await until(() => broker.connections.length === 1, 'the CONNECT')
  await state.keeper.stop(60_000)
  t.equal(state.opens, 0)
})

t.test('stops politely, and does not come back', async t => {
  const broker = await startScriptedBroker(t)
  const state = setUp(t, [broker.url])
  await until(() => state.opens === 1, 'the connection')
  await state.keeper.stop(60_000)
  t.equal(state.closes, 1)
  t.equal(broker.connections.length, 1)
})

t.test('stops by force where the broker does not close in time', async t => {
  const { clock, advance } = createFakeClock()
  let disconnected = false
  const broker = await startScriptedBroker(t, {
    onDisconnect ({ socket }) {
      disconnected = true
      socket.pause()
    }
  })
  broker.script.onConnect = connection => {
    connection.socket.on('end', () => {})
    broker.accept(connection)
  }
  const state = setUp(t, [broker.url], clock)
  await until(() => state.opens === 1, 'the connection')
  const stopped = state.keeper.stop(1000)
  await until(() => disconnected, 'the DISCONNECT')
  advance(1000)
  await stopped
  t.equal(state.closes, 1)
})
