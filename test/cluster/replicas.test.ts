import t from 'tap'
import { assertGracefulEnd } from '../../deploy/cluster/replicas.js'

t.test('takes code 0 after SIGTERM for a graceful end, and nothing else', async t => {
  t.doesNotThrow(() => { assertGracefulEnd({ code: 0, signal: null }, 'replica') })
  t.throws(() => { assertGracefulEnd({ code: 1, signal: null }, 'replica') }, { message: 'replica ended with code 1, where SIGTERM was to end it with code 0' })
  t.throws(() => { assertGracefulEnd({ code: null, signal: 'SIGTERM' }, 'replica') }, { message: 'replica ended with SIGTERM, where SIGTERM was to end it with code 0' })
})
