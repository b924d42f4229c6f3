import t from 'tap'
import { skipWithoutMosquitto } from '../../helpers/mosquitto.js'
import { runMix } from '../mix.js'
import { formatResult, violationsIn } from '../report.js'
import { SHORT_MIX } from '../short-forms.js'

t.test('publishes what it answered 406, and publishes twice: the suite finds it', { skip: skipWithoutMosquitto }, async t => {
  const result = await runMix(t, { ...SHORT_MIX, subject: 'mqttjs-reconnect' }, () => {})
  t.comment(formatResult(result))
  const found = [...result.verdict.findings].filter(([, lines]) => lines.length > 0).map(([check]) => check)
  t.not(violationsIn(result).length, 0)
  t.strictSame(found.filter(check => check.startsWith('(')), ['(a) answered 406, yet published', '(b) published more than once'])
})

t.test('answers only 200 while nothing fails: it is the faults that it cannot bear', { skip: skipWithoutMosquitto }, async t => {
  const result = await runMix(t, { ...SHORT_MIX, subject: 'mqttjs-reconnect', faults: [] }, () => {})
  t.comment(formatResult(result))
  t.strictSame(violationsIn(result), [], 'nothing is found')
})
