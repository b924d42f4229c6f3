import t from 'tap'
import { isRepeated } from '../src/raw-headers.js'

t.test('finds a header that has several lines, however it is written', async t => {
  t.equal(isRepeated(['Host', 'a', 'X', 'host', 'hOST', 'a'], 'host'), true)
  for (const rawHeaders of [[], ['Host', 'host'], ['X-Host', 'a', 'host', 'b'], ['Most', 'a', 'Host', 'b']]) {
    t.equal(isRepeated(rawHeaders, 'host'), false, rawHeaders.join())
  }
})
