import { PassThrough } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createWriteBatch } from '../../src/mqtt/write-batch.js'

/** Strings and bytes on both sides of every way in which a piece is copied. */
const PIECES = [
  'devices/1/commands',
  '',
  'Gerät/1',
  'x'.repeat(64),
  'x'.repeat(65),
  '€'.repeat(64),
  '😀',
  Buffer.from([0x32]),
  Buffer.alloc(64, 0xFF),
  Buffer.from(Array.from({ length: 65 }, (_, index) => index))
]

t.test('sends the pieces of one turn as one buffer, unchanged and in order', async t => {
  const stream = new PassThrough()
  const sent: Buffer[] = []
  stream.on('data', part => { sent.push(part) })
  createWriteBatch(stream)

  for (const piece of PIECES) stream.write(piece)
  t.strictSame(sent, [], 'not before the turn is over')
  await nextTurn()
  stream.write('second turn')
  await nextTurn()

  t.strictSame(sent, [Buffer.concat(PIECES.map(piece => Buffer.from(piece))), Buffer.from('second turn')])
})

t.test('sends what is more than it holds in several parts, none of them empty', async t => {
  const stream = new PassThrough()
  const sizes: number[] = []
  const { write } = stream
  stream.write = function (part: Buffer) {
    sizes.push(part.length)
    return write.call(this, part, 'utf8')
  }
  const batch = createWriteBatch(stream)

  for (let n = 0; n < 3; n += 1) batch.reserve(200_000)
  await nextTurn()
  await nextTurn()
  t.strictSame(sizes, [200_000, 200_000, 200_000])
})
