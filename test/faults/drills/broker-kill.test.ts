import t from 'tap'
import { skipWithoutMosquitto } from '../../helpers/mosquitto.js'
import { formatResult, passes } from '../report.js'
import { SHORT_DRILLS } from '../short-forms.js'
import { runDrill } from './run-drill.js'

t.test('keeps its promises when the broker is killed and started again', { skip: skipWithoutMosquitto }, async t => {
  const result = await runDrill(t, 'broker-kill', SHORT_DRILLS, () => {})
  t.comment(formatResult(result))
  t.ok(passes(result), 'nothing is found')
})
