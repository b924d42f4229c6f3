import t from 'tap'
import { createUnguessableUuid, createUuid } from '../src/uuid.js'

t.test('makes UUIDv7s of now, each greater than the one before, over more than one pool of random numbers', async t => {
  const before = Date.now()
  const ids = Array.from({ length: 5000 }, createUuid)
  t.ok(ids.every(id => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)))
  t.strictSame([...new Set(ids)].sort(), ids)
  const madeAt = Number.parseInt(String(ids[0]).replace('-', '').slice(0, 12), 16)
  t.ok(madeAt >= before && madeAt <= Date.now())
})

t.test('does not repeat its random part', async t => {
  const tails = Array.from({ length: 5000 }, () => createUuid().slice(-8))
  t.ok(new Set(tails).size > 4990)
})

t.test('makes some of which those of the same millisecond tell nothing', async t => {
  const ids = Array.from({ length: 1000 }, createUnguessableUuid)
  t.ok(ids.every(id => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)))
  t.ok(ids.length > new Set(ids.map(id => id.slice(0, 13))).size, 'some of one millisecond')
  // The upper bits of the counter, which others made in one millisecond share.
  t.ok(new Set(ids.map(id => id.slice(14, 23))).size > 990)
})
