import t from 'tap'
import { createRecentNames } from '../../src/mqtt/recent-names.js'

for (const most of [1, 2, 5]) {
  t.test(`remembers the last ${most}, and no other`, async t => {
    const recent = createRecentNames(most)
    const added: string[] = []
    for (let number = 0; number < 3 * most; number += 1) {
      added.push(String(number))
      recent.add(String(number))
      t.strictSame(added.filter(recent.has), added.slice(-most))
    }
    t.notOk(recent.has('another'))
  })
}
