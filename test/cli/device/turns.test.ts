import t from 'tap'
import { createTurns } from '../../../src/cli/device/turns.js'

t.test('lets so many run at once, and the next ones in their order', async t => {
  const turns = createTurns(2)
  const running = new Map<string, () => void>()
  const take = (name: string) => turns.take(release => { running.set(name, release) })
  const names = () => [...running.keys()].join('')
  const release = (name: string) => { running.get(name)?.() }
  take('a')
  take('b')
  const giveUp = take('c')
  take('d')
  take('e')
  t.equal(names(), 'ab')
  giveUp()
  release('b')
  t.equal(names(), 'abd')
  release('b')
  t.equal(names(), 'abd', 'a turn is given back once')
  release('a')
  t.equal(names(), 'abde')
  giveUp()
  release('d')
  release('e')
  take('f')
  t.equal(names(), 'abdef')
})
