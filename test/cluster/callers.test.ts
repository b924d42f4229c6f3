import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { createCallers } from '../../deploy/cluster/callers.js'

/** Callers of a server that answers as it is told, with a patience that no test outlasts. */
async function call (t: Test, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port ?? 0 : 0
  const callers = createCallers({ port, token: 'token', patienceMs: 600_000 })
  t.teardown(() => { callers.close() })
  return callers
}

t.test('keeps each answer of the messenger in order, with its time and whether it is a replay', async t => {
  let asked = 0
  const callers = await call(t, (_request, response) => {
    asked += 1
    if (asked === 1) response.writeHead(502).end()
    else if (asked === 2) response.writeHead(503, { 'x-request-id': '2' }).end()
    else response.writeHead(200, { 'x-request-id': '3', 'idempotency-replayed': 'true' }).end()
  })
  const startMs = performance.now()
  await callers.run(1, () => callers.commands.length === 1)
  const [command] = callers.commands
  t.match(command, { final: 200, exchanges: [{ status: undefined, isReplayed: false }, { status: 503, isReplayed: false }, { status: 200, isReplayed: true }] })
  const times = command?.exchanges.map(({ atMs }) => atMs) ?? []
  t.strictSame(times.toSorted((one, other) => one - other), times)
  t.ok(times.every(atMs => atMs >= startMs && atMs <= performance.now()))
})

t.test('stops sending and asking when it is closed, also where the run would go on', async t => {
  const callers = await call(t, (_request, response) => {
    response.writeHead(503, { 'x-request-id': '1' }).end()
    setImmediate(() => { callers.close() })
  })
  await callers.run(100, () => false)
  t.equal(callers.pending, 0)
})

t.test('stops waiting for an answer when it is closed', async t => {
  const callers = await call(t, () => { callers.close() })
  await callers.run(100, () => false)
  t.equal(callers.pending, 0)
})
