import t from 'tap'
import { skipWithoutMosquitto } from '../../helpers/mosquitto.js'
import { formatResult, passes } from '../report.js'
import { SHORT_DRILLS } from '../short-forms.js'
import { runDrill } from './run-drill.js'

t.test('turns away what is too much, stays small, and is as fast as before afterwards', { skip: skipWithoutMosquitto }, async t => {
  const result = await runDrill(t, 'overload', SHORT_DRILLS, () => {})
  t.comment(formatResult(result))
  t.ok(passes(result), 'nothing is found')
})
