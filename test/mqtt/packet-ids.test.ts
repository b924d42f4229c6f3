import t from 'tap'
import { createPacketIds } from '../../src/mqtt/packet-ids.js'

t.test('hands out every identifier once, then none until one is freed', async t => {
  const ids = createPacketIds()
  t.equal(ids.getLastAllocated(), null)
  const all = Array.from({ length: 65_535 }, () => ids.allocate())
  t.equal(new Set(all).size, 65_535)
  t.strictSame([all.at(0), all.at(-1)], [1, 65_535])
  t.equal(ids.allocate(), null)
  ids.deallocate(4711)
  t.equal(ids.allocate(), 4711)
  t.equal(ids.getLastAllocated(), 4711)
  t.equal(ids.allocate(), null)
})

t.test('hands out one just freed after all the others', async t => {
  const ids = createPacketIds()
  ids.allocate()
  ids.deallocate(1)
  const next = Array.from({ length: 65_535 }, () => {
    const id = ids.allocate()
    ids.deallocate(Number(id))
    return id
  })
  t.strictSame([next.at(0), next.at(-1)], [2, 1])
})

t.test('skips what is in use', async t => {
  const ids = createPacketIds()
  t.equal(ids.register(1), true)
  t.equal(ids.register(2), true)
  t.equal(ids.register(2), false)
  t.equal(ids.allocate(), 3)
})

t.test('counts a second release of an identifier for nothing', async t => {
  const ids = createPacketIds()
  for (let id = 1; id <= 65_535; id++) ids.register(id)
  ids.deallocate(7)
  ids.deallocate(7)
  t.equal(ids.allocate(), 7)
  t.equal(ids.allocate(), null)
})

t.test('has all of them free again after it was cleared', async t => {
  const ids = createPacketIds()
  for (let id = 1; id <= 65_535; id++) ids.register(id)
  ids.clear()
  t.equal(ids.register(9), true)
  t.equal(ids.allocate(), 1)
})
