import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { createScope } from '../helpers/scope.js'
import { runFuzz, type FuzzOptions, type Result } from './fuzz.js'
import { SEED_LIMIT } from './options.js'
import { formatResult, passes } from './report.js'
import type { SubjectName } from './subjects/subject.js'

const SHORT: FuzzOptions = { subject: 'messenger', profile: 'narrow', cases: 3_000, batch: 250, seed: 1, shrinkLimitMs: 30_000 }

/** Runs a short form and shows what came of it; the seed that repeats it at once, whatever happens. */
async function run (t: Test, changes: Partial<FuzzOptions>): Promise<Result> {
  const options = { ...SHORT, ...changes }
  t.comment(`seed ${options.seed}`)
  const scope = createScope()
  try {
    const result = await runFuzz(scope, options, () => {})
    t.comment(formatResult(result))
    return result
  } finally {
    await scope.close()
  }
}

t.test('answers the cases of a known seed as the model says, and every layer has its share', async t => {
  const result = await run(t, {})
  t.ok(passes(result), 'nothing is found')
  t.equal(result.tally.cases, 3_000)
  for (const [layer, requests] of result.tally.layers) t.ok(requests >= 10, `${layer} ${requests}`)
})

t.test('answers the cases of a new seed as the model says', async t => {
  t.ok(passes(await run(t, { seed: randomInt(SEED_LIMIT), cases: 2_000 })), 'nothing is found')
})

t.test('answers cases as the model says where any valid token is taken, and calls from a browser', async t => {
  t.ok(passes(await run(t, { profile: 'open', cases: 2_000 })), 'nothing is found')
})

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
    const result = await run(t, { subject, cases: 1_000, batch: 100, shrinkLimitMs: 2_000 })
    t.notOk(passes(result))
    t.ok(result.failure?.findings.some(({ what }) => found.test(what)), String(found))
    t.ok(Number(result.failure?.cases.length) < 100, 'made simpler')
  })
}

t.test('fails a server that keeps 40 kB of every request', async t => {
  const result = await run(t, { subject: 'leaks', cases: 2_000 })
  t.notOk(passes(result))
  t.ok(result.memory?.findings.some(finding => finding.startsWith('memory (alive) grew from ')))
})

t.test('repeats a failure by seed and path', async t => {
  const broken = { subject: 'answers-500', cases: 500, batch: 100, shrinkLimitMs: 5_000 } as const
  const first = await run(t, broken)
  const again = await run(t, { ...broken, path: String(first.failure?.path) })
  t.equal(again.tally.cases, first.failure?.cases.length)
  t.ok(again.failure?.findings.some(({ what }) => what === '500 internal_error: a 5xx other than 503'))
})
