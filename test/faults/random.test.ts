import t from 'tap'
import { createRandom, SEED_LIMIT } from './random.js'

const first = (seed: number, count: number) => {
  const random = createRandom(seed)
  return Array.from({ length: count }, random.next)
}

t.test('gives the same numbers for the same seed, and others for another', async t => {
  t.strictSame(first(7, 100), first(7, 100))
  t.not(first(7, 1)[0], first(8, 1)[0])
  t.not(first(0, 1)[0], first(SEED_LIMIT - 1, 1)[0])
})

t.test('spreads over 0 up to 1', async t => {
  const numbers = first(1, 10_000)
  t.ok(numbers.every(number => number >= 0 && number < 1))
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const share = numbers.filter(number => Math.floor(number * 10) === tenth).length / numbers.length
    t.ok(share > 0.08 && share < 0.12, `${share} of the numbers begin with 0.${tenth}`)
  }
})

t.test('gives whole numbers with both bounds, and items of a list', async t => {
  const random = createRandom(3)
  const integers = new Set(Array.from({ length: 100 }, () => random.integer(2, 4)))
  t.strictSame([...integers].sort(), [2, 3, 4])
  const items = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b'])))
  t.strictSame([...items].sort(), ['a', 'b'])
  t.throws(() => random.pick([]), new RangeError('nothing to pick from'))
})
