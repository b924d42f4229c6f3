import t from 'tap'
import { createFifo, type Linked } from '../src/fifo.js'

interface Member extends Linked<Member> {
  readonly name: string
}

function fill (names: string) {
  const fifo = createFifo<Member>()
  const members = [...names].map((name): Member => ({ name, previous: undefined, next: undefined }))
  for (const member of members) fifo.push(member)
  return { fifo, members }
}

/** The names of the members, in order. */
function namesIn (fifo: ReturnType<typeof fill>['fifo']): string {
  let names = ''
  for (let member = fifo.first; member !== undefined; member = member.next) names += member.name
  return names
}

t.test('is empty at first', async t => {
  const { fifo } = fill('')
  t.equal(fifo.first, undefined)
  t.equal(fifo.size, 0)
  t.strictSame(fifo.drain(), [])
})

for (const [removed, left] of [['a', 'bcd'], ['b', 'acd'], ['d', 'abc'], ['bc', 'ad'], ['dcba', ''], ['abcd', '']]) {
  t.test(`keeps the order of the others when ${removed} is taken out of abcd`, async t => {
    const { fifo, members } = fill('abcd')
    for (const name of String(removed)) {
      for (const member of members) if (member.name === name) fifo.remove(member)
    }
    t.equal(namesIn(fifo), left)
    t.equal(fifo.size, left?.length)
    if (fifo.first === undefined) t.ok(members.every(({ previous, next }) => previous === undefined && next === undefined))
  })
}

t.test('takes a member in again, at the end', async t => {
  const { fifo, members: [first] } = fill('abc')
  if (first === undefined) throw new Error('no member')
  fifo.remove(first)
  fifo.push(first)
  t.equal(namesIn(fifo), 'bca')
})

t.test('is empty after it was drained, and its members are of no FIFO', async t => {
  const { fifo, members } = fill('abc')
  t.strictSame(fifo.drain().map(({ name }) => name), ['a', 'b', 'c'])
  t.equal(fifo.first, undefined)
  t.equal(fifo.size, 0)
  t.ok(members.every(({ previous, next }) => previous === undefined && next === undefined))
})
