import { once } from 'node:events'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { systemClock } from '../src/clock.js'

/** How long this thread stands still, in milliseconds. */
const STANDSTILL_MS = 100

/** In a thread of its own: a server that says something as soon as someone connects and says something, and notes that it has. */
const SPEAKER = `
  const { createServer } = require('node:net')
  const { parentPort, workerData } = require('node:worker_threads')
  const server = createServer(socket => {
    socket.on('data', () => {
      socket.write('in time', () => {
        Atomics.store(workerData, 0, 1)
        Atomics.notify(workerData, 0)
      })
    })
  })
  server.listen(0, '127.0.0.1', () => { parentPort.postMessage(server.address().port) })
`

/** A connection over which something arrives while this thread stands still, and what then happened, in its order. */
async function standStill (t: Test, before: (events: string[]) => void): Promise<string[]> {
  const hasSpoken = new Int32Array(new SharedArrayBuffer(4))
  const speaker = new Worker(SPEAKER, { eval: true, workerData: hasSpoken })
  t.teardown(() => speaker.terminate())
  const [port] = await once(speaker, 'message') as [number]
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  const events: string[] = []
  const heard = new Promise<void>(resolve => {
    socket.on('data', chunk => {
      events.push(chunk.toString())
      resolve()
    })
  })
  before(events)
  socket.write('now')
  // However long that takes on a busy machine, and then until time is over.
  Atomics.wait(hasSpoken, 0, 0)
  Atomics.wait(hasSpoken, 0, 1, STANDSTILL_MS)
  await heard
  await new Promise<void>(resolve => { setTimeout(resolve, 10) })
  return events
}

t.test('looks at what has arrived before it says that time is over', async t => {
  const events = await standStill(t, events => {
    systemClock.after(STANDSTILL_MS / 2, () => { events.push('over') })
  })
  t.strictSame(events, ['in time', 'over'])
})

t.test('does not say so to who has heard by then', async t => {
  const events = await standStill(t, events => {
    const cancels = [1, 2].map(n => systemClock.after(STANDSTILL_MS / 2, () => {
      events.push(`over ${n}`)
      cancels[1]?.()
    }))
  })
  t.strictSame(events, ['in time', 'over 1'])
})

t.test('cancels before and after its time', async t => {
  const events: string[] = []
  const cancel = systemClock.after(1, () => { events.push('cancelled') })
  cancel()
  const cancelLate = systemClock.after(1, () => { events.push('over') })
  await new Promise<void>(resolve => { setTimeout(resolve, 20) })
  cancelLate()
  t.strictSame(events, ['over'])
})
