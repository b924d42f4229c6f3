import t from 'tap'
import { skipWithoutMosquitto } from '../../helpers/mosquitto.js'
import { formatResult, violationsIn } from '../report.js'
import { SHORT_DRILLS } from '../short-forms.js'
import { runDrill } from './run-drill.js'

t.test('notices a half-open connection by the missing PUBACKs and builds a new one', { skip: skipWithoutMosquitto }, async t => {
  const result = await runDrill(t, 'half-open', SHORT_DRILLS, () => {})
  t.comment(formatResult(result))
  t.strictSame(violationsIn(result), [], 'nothing is found')
})
