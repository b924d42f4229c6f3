import t from 'tap'
import { formatResult, type Result, violationsIn } from './report.js'

const PASSED: Result = {
  name: 'messenger, seed 1',
  verdict: {
    counts: { publishes: 3, commands: 4, accepted: 2, notSent: 1, unknown: 1, other: 0 },
    healthy: { answers: 2, accepted: 2 },
    findings: new Map([['(a) answered 406, yet published', []]])
  },
  windows: [{ kinds: ['cut', 'drip'], startMs: 0, endMs: 1 }, { kinds: ['cut'], startMs: 2, endMs: 3 }],
  facts: ['a figure of its own'],
  failures: []
}

t.test('shows every count, the faults by kind, and that nothing was found', async t => {
  t.strictSame(violationsIn(PASSED), [])
  t.equal(formatResult(PASSED), [
    '',
    'messenger, seed 1',
    '  published                                                        3',
    '  asked for                                                        4',
    '  answered 200                                                     2',
    '  answered 406                                                     1',
    '  answered 504                                                     1',
    '  answered otherwise, or not                                       0',
    '  answered while healthy                                           2',
    '    of these 200                                            100.00 %',
    '  (a) answered 406, yet published                                  0',
    '  faults: cut 2, drip 1',
    '  a figure of its own',
    'passed'
  ].join('\n'))
})

t.test('shows the first of what was found, and that the run failed', async t => {
  const findings = new Map([['(a) answered 406, yet published', ['r1', 'r2', 'r3', 'r4', 'r5', 'r6']]])
  const failed: Result = { ...PASSED, verdict: { ...PASSED.verdict, findings }, windows: [], failures: ['memory grew'] }
  t.strictSame(formatResult(failed).split('\n').slice(10), [
    '  (a) answered 406, yet published                                  6',
    '  faults: none',
    '  a figure of its own',
    ...['r1', 'r2', 'r3', 'r4', 'r5'].map(command => `  VIOLATION (a) answered 406, yet published: ${command}`),
    '  VIOLATION memory grew',
    'FAILED'
  ])
  t.strictSame(violationsIn({ ...PASSED, failures: ['memory grew'] }), ['memory grew'], 'a failure of a drill alone')
})
