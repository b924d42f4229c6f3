import fc from 'fast-check'
import t from 'tap'
import { createRecent } from '../../src/mqtt/recent.js'

t.test('remembers the last so many, and nothing else, whatever is added and taken out', async t => {
  const property = fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.record({ takesOut: fc.boolean(), which: fc.nat() })), (most, steps) => {
    const recent = createRecent<number>(most)
    const added: number[] = []
    const takenOut = new Set<number>()
    for (const { takesOut, which } of steps) {
      if (takesOut) {
        const number = which % (added.length + 1)
        takenOut.add(number)
        recent.delete(String(number))
        // What comes later has not been taken out.
        takenOut.delete(added.length)
      } else {
        added.push(added.length)
        recent.add(String(added.length - 1), added.length - 1)
      }
      const last = added.slice(-most)
      if (added.some(number => recent.get(String(number)) !== (last.includes(number) && !takenOut.has(number) ? number : undefined))) return false
    }
    return true
  })
  t.doesNotThrow(() => { fc.assert(property) })
})
