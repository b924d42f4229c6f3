import t from 'tap'
import { createBatchedLines } from '../src/batched-lines.js'
import { createFakeClock } from './helpers/fake-clock.js'

function setUp () {
  const fake = createFakeClock()
  const written: string[] = []
  return { clock: fake, written, lines: createBatchedLines(text => { written.push(text) }, fake.clock) }
}

t.test('hands on what there is 100 ms after the first line of a batch', async t => {
  const { clock, written, lines } = setUp()
  lines.write('a\n')
  clock.advance(99)
  lines.write('b\n')
  t.strictSame(written, [])
  clock.advance(1)
  t.strictSame(written, ['a\nb\n'])
  clock.advance(1_000)
  lines.write('c\n')
  clock.advance(100)
  t.strictSame(written, ['a\nb\n', 'c\n'])
})

t.test('hands on a full batch at once, and begins the time of the next with its first line', async t => {
  const { clock, written, lines } = setUp()
  const half = `${'x'.repeat(8_191)}\n`
  lines.write(half)
  clock.advance(50)
  lines.write(half)
  t.strictSame(written, [half + half])
  lines.write('next\n')
  clock.advance(99)
  t.equal(written.length, 1)
  clock.advance(1)
  t.strictSame(written, [half + half, 'next\n'])
})

t.test('hands on no more than a batch may have, unless one line has more', async t => {
  const { clock } = createFakeClock()
  const written: string[] = []
  const lines = createBatchedLines(text => { written.push(text) }, clock, { most: 10 })
  for (const line of ['12345\n', '67\n', '8\n', '123456789012\n', 'a\n']) lines.write(line)
  lines.flush()
  t.strictSame(written, ['12345\n67\n', '8\n', '123456789012\n', 'a\n'])
})

t.test('hands on what there is when asked, and nothing where there is nothing', async t => {
  const { clock, written, lines } = setUp()
  lines.flush()
  t.strictSame(written, [])
  lines.write('a\n')
  lines.flush()
  clock.advance(1_000)
  t.strictSame(written, ['a\n'])
})

t.test('measures lines as it is told', async t => {
  const { clock } = createFakeClock()
  const written: string[] = []
  const lines = createBatchedLines(text => { written.push(text) }, clock, { most: 10, measure: Buffer.byteLength })
  for (const line of ['üü\n', '1234\n', '€€\n', 'abc\n']) lines.write(line)
  lines.flush()
  t.strictSame(written, ['üü\n1234\n', '€€\n', 'abc\n'])
})
