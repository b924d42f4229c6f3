import t from 'tap'
import { passes } from '../report.js'
import { runShort } from '../short-form.js'
import type { SubjectName } from './subject.js'

/** Faults that are built in, each with what has to be found. */
const FAULTS: ReadonlyArray<readonly [SubjectName, RegExp]> = [
  ['answers-500', /^500 internal_error: a 5xx other than 503$/],
  ['publishes-on-400', /^published without a 200: a to devices\/1\/commands /],
  ['publishes-twice', /^published without a 200: a to devices\/1\/commands /],
  ['claims-200', /^200 \(.*\): nothing was published for it$/],
  ['drops-detail', /^415: status, code and title do not belong together$/],
  ['logs-token', /^the log has a secret: /],
  ['logs-error', /^the server says: .*unhandled/],
  ['dies', /^the server has ended$/],
  ['never-answers', /^there is no answer, or no end of the connection, in time$/]
]

for (const [subject, found] of FAULTS) {
  t.test(`fails a server that ${subject.replaceAll('-', ' ')}`, async t => {
    const result = await runShort(t, { subject, cases: 1_000, batch: 100, shrinkLimitMs: 0 })
    t.notOk(passes(result))
    t.ok(result.failure?.findings.some(({ what }) => found.test(what)), String(found))
  })
}

t.test('fails a server that keeps 40 kB of every request', async t => {
  const result = await runShort(t, { subject: 'leaks', cases: 2_000 })
  t.notOk(passes(result))
  t.ok(result.memory?.findings.some(finding => finding.startsWith('memory (alive) grew from ')))
})

t.test('repeats a failure by seed and path', async t => {
  const broken = { subject: 'answers-500', cases: 500, batch: 100, shrinkLimitMs: 5_000 } as const
  const first = await runShort(t, broken)
  const again = await runShort(t, { ...broken, path: String(first.failure?.path) })
  t.equal(again.tally.cases, first.failure?.cases.length)
  t.ok(again.failure?.findings.some(({ what }) => what === '500 internal_error: a 5xx other than 503'))
})
