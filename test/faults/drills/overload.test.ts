import t from 'tap'
import { skipWithoutMosquitto } from '../../helpers/mosquitto.js'
import { formatResult, violationsIn } from '../report.js'
import { SHORT_DRILLS } from '../short-forms.js'
import { runDrill } from './run-drill.js'

t.test('turns away what is too much, stays small, and is as fast as before afterwards', { skip: skipWithoutMosquitto }, async t => {
  const result = await runDrill(t, 'overload', SHORT_DRILLS, () => {})
  t.comment(formatResult(result))
  t.strictSame(violationsIn(result), [], 'nothing is found')
})
