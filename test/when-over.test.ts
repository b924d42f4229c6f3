import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { whenOver } from '../src/when-over.js'
import { until } from './helpers/until.js'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** So many requests on one connection, none of them answered yet. */
async function request (t: Test, count: number) {
  const exchanges: Array<{ readonly request: IncomingMessage, readonly response: ServerResponse }> = []
  const server = createServer((request, response) => { exchanges.push({ request, response }) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const caller = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => {
    caller.destroy()
    server.close()
  })
  caller.resume().write(REQUEST.repeat(count))
  await until(() => exchanges.length === count, 'the requests')
  const over: number[] = []
  return {
    caller,
    exchanges,
    over,
    watch () {
      for (const [n, { request, response }] of exchanges.entries()) whenOver({ raw: request }, { raw: response }, () => { over.push(n) })
    }
  }
}

t.test('runs when a response was sent', async t => {
  const { exchanges, over, watch } = await request(t, 1)
  watch()
  t.strictSame(over, [])
  exchanges[0]?.response.end()
  await until(() => over.length === 1, 'the end')
})

t.test('runs when the caller has gone, also for responses that are behind another', async t => {
  const { caller, over, watch } = await request(t, 20)
  watch()
  caller.destroy()
  await until(() => new Set(over).size === 20, 'the ends')
})

t.test('runs at once where the caller has gone by then', async t => {
  const { caller, exchanges, over, watch } = await request(t, 2)
  caller.destroy()
  await until(() => exchanges[1]?.request.socket.destroyed === true, 'the end of the connection')
  watch()
  t.strictSame(over, [0, 1])
})

t.test('keeps nothing of a response that was behind another, and was sent', async t => {
  const { exchanges, over, watch } = await request(t, 2)
  const listeners = () => exchanges[0]?.request.socket.listenerCount('close') ?? NaN
  const before = listeners()
  watch()
  t.equal(listeners(), before + 1)
  for (const { response } of exchanges) response.end()
  await until(() => over.length === 2, 'the ends')
  // Both are told that the response has closed.
  await until(() => listeners() <= before, 'the listener to go')
  t.strictSame(over, [0, 1])
})
