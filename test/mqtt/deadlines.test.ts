import fc from 'fast-check'
import t from 'tap'
import { createDeadlines, type Timed } from '../../src/mqtt/deadlines.js'

const member = (deadlineMs: number): Timed => ({ deadlineMs, place: -1 })

t.test('has the member that is due first at hand, whatever is added and taken out', async t => {
  const property = fc.property(fc.array(fc.record({ deadlineMs: fc.nat(50), takesOut: fc.boolean(), which: fc.nat() })), steps => {
    const deadlines = createDeadlines<Timed>()
    const model: Timed[] = []
    for (const { deadlineMs, takesOut, which } of steps) {
      const [taken] = takesOut && model.length > 0 ? model.splice(which % model.length, 1) : []
      if (taken === undefined) {
        const added = member(deadlineMs)
        model.push(added)
        deadlines.add(added)
      } else {
        deadlines.remove(taken)
      }
      const least = model.length === 0 ? undefined : Math.min(...model.map(one => one.deadlineMs))
      if (deadlines.first?.deadlineMs !== least || deadlines.size !== model.length) return false
    }
    return true
  })
  t.doesNotThrow(() => { fc.assert(property) })
})

t.test('gives its members in the order of their deadlines', async t => {
  const deadlines = createDeadlines<Timed>()
  for (const deadlineMs of [5, 3, 9, 1, 7, 3, 8]) deadlines.add(member(deadlineMs))
  const order: number[] = []
  while (deadlines.first !== undefined) {
    order.push(deadlines.first.deadlineMs)
    deadlines.remove(deadlines.first)
  }
  t.strictSame(order, [1, 3, 3, 5, 7, 8, 9])
})

t.test('takes out what is not in there without a word', async t => {
  const deadlines = createDeadlines<Timed>()
  const [one, other] = [member(1), member(2)]
  deadlines.add(one)
  deadlines.remove(other)
  deadlines.remove(one)
  deadlines.remove(one)
  t.equal(deadlines.size, 0)
})
