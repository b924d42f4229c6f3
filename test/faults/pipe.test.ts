import t from 'tap'
import { until } from '../helpers/until.js'
import { createPipe, HOLD, PASS, SWALLOW, type PipeMode } from './pipe.js'

function create (mode: PipeMode) {
  const written: string[] = []
  const pipe = createPipe({
    write (chunk) { written.push(chunk.toString()) },
    end () { written.push('END') }
  }, mode)
  const push = (...chunks: string[]) => { for (const chunk of chunks) pipe.push(Buffer.from(chunk)) }
  return { pipe, push, written }
}

t.test('passes bytes and their end on', async t => {
  const { pipe, push, written } = create(PASS)
  push('ab', 'c')
  pipe.end()
  pipe.end()
  t.strictSame(written, ['ab', 'c', 'END'])
  t.notOk(pipe.hasLost)
})

t.test('holds bytes and their end back until they may pass', async t => {
  const { pipe, push, written } = create(HOLD)
  push('ab', 'c')
  pipe.end()
  t.strictSame(written, [])
  pipe.setMode(PASS)
  t.strictSame(written, ['ab', 'c', 'END'])
  t.notOk(pipe.hasLost)
})

t.test('holds an end back that comes without bytes', async t => {
  const { pipe, written } = create(HOLD)
  pipe.end()
  t.strictSame(written, [])
})

t.test('swallows bytes, those held back before too, and says that they are lost', async t => {
  const { pipe, push, written } = create(HOLD)
  push('a')
  pipe.setMode(SWALLOW)
  push('b')
  pipe.end()
  pipe.setMode(PASS)
  t.strictSame(written, [])
  t.ok(pipe.hasLost)
})

t.test('says that an end is lost, and nothing where there was nothing to lose', async t => {
  const { pipe } = create(SWALLOW)
  t.notOk(pipe.hasLost)
  pipe.discard()
  t.notOk(pipe.hasLost)
  pipe.end()
  t.ok(pipe.hasLost)
})

t.test('is late by what it is told, in order, the end last', async t => {
  const { pipe, push, written } = create({ kind: 'delay', ms: 400 })
  const startMs = performance.now()
  push('a')
  await until(() => performance.now() > startMs + 15, '15 ms')
  push('b')
  pipe.end()
  t.strictSame(written, [])
  await until(() => written.length === 1, 'the first chunk')
  t.ok(performance.now() - startMs >= 400)
  await until(() => written.length === 3, 'the rest')
  t.ok(performance.now() - startMs >= 415)
  t.strictSame(written, ['a', 'b', 'END'])
})

t.test('drips byte by byte, so many each millisecond', async t => {
  const { pipe, push, written } = create({ kind: 'drip', bytesPerMs: 2 })
  push('abc', 'de')
  pipe.end()
  t.strictSame(written, ['a', 'b'])
  await until(() => written.length === 6, 'the rest')
  t.strictSame(written, ['a', 'b', 'c', 'd', 'e', 'END'])
})

t.test('passes the rest at once where it drips no longer', async t => {
  const { pipe, push, written } = create({ kind: 'drip', bytesPerMs: 1 })
  push('abc')
  pipe.setMode(PASS)
  push('d')
  t.strictSame(written, ['a', 'bc', 'd'])
})
