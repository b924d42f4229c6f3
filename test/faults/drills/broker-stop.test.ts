import t from 'tap'
import { skipWithoutMosquitto } from '../../helpers/mosquitto.js'
import { formatResult, violationsIn } from '../report.js'
import { SHORT_DRILLS } from '../short-forms.js'
import { runDrill } from './run-drill.js'

t.test('keeps its promises when the broker hangs and goes on', { skip: skipWithoutMosquitto }, async t => {
  const result = await runDrill(t, 'broker-stop', SHORT_DRILLS, () => {})
  t.comment(formatResult(result))
  t.strictSame(violationsIn(result), [], 'nothing is found')
})
