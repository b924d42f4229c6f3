import t from 'tap'
import type { Answer } from './client.js'
import type { Evidence } from './evidence.js'
import { judge } from './judge.js'
import type { Publication } from './recorder.js'
import type { Delivery } from './subscriber.js'

const BODIES: Readonly<Record<number, string>> = {
  200: '{"detail":"Send `push_down` to topic `devices/1/commands`"}',
  406: '{"detail":"Somthing went wrong"}',
  504: '{"title":"Delivery unknown","status":504,"code":"delivery_unknown"}'
}

function answer (status: number | string, rest: Partial<Answer> = {}): Answer {
  const body = BODIES[Number(status)] ?? ''
  return { requestId: 'r1', imei: '1', sentAtMs: 1_000, answeredAtMs: 1_010, status, body, proxyStatus: undefined, retryAfter: undefined, ...rest }
}

function publication (reasonCode: number | undefined, rest: Partial<Publication> = {}): Publication {
  return { id: 'c1', requestId: 'r1', topic: 'devices/1/commands', connection: 1, atMs: 1_002, reasonCode, heardAtMs: 1_005, ...rest }
}

function delivery (rest: Partial<Delivery> = {}): Delivery {
  return { id: 'c1', requestId: 'r1', topic: 'devices/1/commands', atMs: 1_003, ...rest }
}

/** A run in which one command was accepted and delivered, while nothing was wrong, with changes. */
function evidence (changes: Partial<Evidence> = {}): Evidence {
  return {
    answers: [answer(200)],
    publications: [publication(0)],
    deliveries: [delivery()],
    windows: [],
    restartsMs: [],
    figures: undefined,
    rules: { leastHealthyShare: undefined, brokerLives: true },
    ...changes
  }
}

/** What was found: the checks that found something, with it. */
function findings (changes: Partial<Evidence>): Record<string, readonly string[]> {
  return Object.fromEntries([...judge(evidence(changes)).findings].filter(([, found]) => found.length > 0))
}

const CUT = { kinds: ['cut'], startMs: 900, endMs: 1_005 }
const KILLED = { kinds: ['server-kill', 'stall-down'], startMs: 900, endMs: 3_000 }

t.test('passes a command that was accepted, acknowledged and delivered once', async t => {
  const verdict = judge(evidence({ rules: { leastHealthyShare: 1, brokerLives: true } }))
  t.ok([...verdict.findings.values()].every(found => found.length === 0))
  t.strictSame(verdict.counts, { publishes: 1, commands: 1, accepted: 1, notSent: 0, unknown: 0, other: 0 })
  t.strictSame(verdict.healthy, { answers: 1, accepted: 1 })
  t.strictSame([...verdict.findings.keys()], [
    '(a) answered 406, yet published',
    '(b) published more than once',
    '(c) answered 200, never acknowledged',
    'answered 200 before a PUBACK could be heard',
    'answered anything but 200, 406 or 504 as documented',
    '504 outside of every window of a fault',
    'published by a server that was started afterwards',
    'recorder and subscriber contradict each other',
    'too few 200 while the link was healthy',
    'published for another device, or for nobody',
    'the metrics of the server say otherwise'
  ])
})

t.test('(a) finds a 406 whose command was delivered', async t => {
  t.strictSame(findings({ answers: [answer(406)] }), { '(a) answered 406, yet published': ['r1: and delivered'] })
})

t.test('(a) finds a 406 whose command was written, acknowledged or not', async t => {
  for (const reasonCode of [undefined, 0, 0x10, 0x7f]) {
    t.strictSame(findings({ answers: [answer(406)], publications: [publication(reasonCode)], deliveries: [], rules: { leastHealthyShare: undefined, brokerLives: false } }), {
      '(a) answered 406, yet published': ['r1: over connection 1']
    }, `reason code ${reasonCode}`)
  }
})

t.test('passes a 406 that was not written, and one that the broker refused', async t => {
  t.strictSame(findings({ answers: [answer(406)], publications: [], deliveries: [] }), {})
  t.strictSame(findings({ answers: [answer(406)], publications: [publication(0x80)], deliveries: [] }), {})
})

t.test('(b) finds a command that was written twice, delivered twice or not', async t => {
  const publications = [publication(undefined), publication(0, { connection: 2 })]
  const found = { '(b) published more than once': ['r1: over connections 1, 2; delivered 1 x'] }
  t.strictSame(findings({ publications }), found)
  t.strictSame(findings({ publications, answers: [answer(504)], windows: [CUT] }), found)
})

t.test('(b) finds a command that was delivered twice, whatever the recorder says', async t => {
  t.strictSame(findings({ deliveries: [delivery(), delivery()] }), { '(b) published more than once': ['r1: over connections 1; delivered 2 x'] })
})

t.test('(c) finds a 200 without a PUBACK, and one that was refused', async t => {
  const rules = { leastHealthyShare: undefined, brokerLives: true }
  t.strictSame(findings({ publications: [publication(undefined)], rules }), { '(c) answered 200, never acknowledged': ['r1: published 1 x'] })
  t.strictSame(findings({ publications: [publication(0x87)], deliveries: [] }), { '(c) answered 200, never acknowledged': ['r1: published 1 x'] })
  t.strictSame(findings({ publications: [], deliveries: [] }), {
    '(c) answered 200, never acknowledged': ['r1: published 0 x'],
    'answered 200 before a PUBACK could be heard': ['r1: answered at 1010 ms, heard at ']
  })
})

t.test('finds a 200 whose PUBACK was still on its way, or lost', async t => {
  const check = 'answered 200 before a PUBACK could be heard'
  t.strictSame(findings({ publications: [publication(0, { heardAtMs: 1_011 })] }), { [check]: ['r1: answered at 1010 ms, heard at 1011'] })
  t.strictSame(findings({ publications: [publication(0, { heardAtMs: undefined })] }), { [check]: ['r1: answered at 1010 ms, heard at no time'] })
  t.strictSame(findings({ publications: [publication(0, { heardAtMs: 1_010 })] }), {})
})

t.test('passes a 200 that nobody subscribed to', async t => {
  t.strictSame(findings({ publications: [publication(0x10)], deliveries: [] }), {})
})

t.test('finds every other answer, and the right status with another body', async t => {
  const check = 'answered anything but 200, 406 or 504 as documented'
  const unpublished = { publications: [], deliveries: [] }
  t.strictSame(findings({ answers: [answer(500, { body: 'oh' })], ...unpublished }), { [check]: ['r1: 500 oh'] })
  t.strictSame(findings({ answers: [answer(406, { body: '{}' })], ...unpublished }), { [check]: ['r1: 406 {}'] })
  t.strictSame(findings({ answers: [answer(504, { body: '{}' })], windows: [CUT] }), { [check]: ['r1: 504 {}'] })
  const otherDevice = '{"detail":"Send `push_down` to topic `devices/2/commands`"}'
  t.strictSame(findings({ answers: [answer(200, { body: otherDevice })] }), { [check]: [`r1: 200 ${otherDevice}`] })
})

t.test('finds a caller without an answer, unless the server was just killed', async t => {
  const answers = [answer('ECONNRESET')]
  const found = { 'answered anything but 200, 406 or 504 as documented': ['r1: no answer: ECONNRESET'] }
  t.strictSame(findings({ answers }), found)
  t.strictSame(findings({ answers, windows: [{ ...CUT, endMs: 2_000 }] }), found)
  t.strictSame(findings({ answers, windows: [{ ...KILLED, endMs: 1_009 }] }), found)
  t.strictSame(findings({ answers, windows: [KILLED] }), {})
})

t.test('finds a 504 without a fault, before one, and too long after one', async t => {
  const found = { '504 outside of every window of a fault': ['r1: sent at 1000 ms, answered at 1010 ms'] }
  t.strictSame(findings({ answers: [answer(504)] }), found)
  t.strictSame(findings({ answers: [answer(504)], windows: [{ ...CUT, startMs: 1_011, endMs: 2_000 }] }), found)
  t.strictSame(findings({ answers: [answer(504)], windows: [{ ...CUT, startMs: 800, endMs: 859 }] }), found)
})

t.test('passes a 504 in a window, and one that a busy machine saw a little later', async t => {
  t.strictSame(findings({ answers: [answer(504)], windows: [{ ...CUT, endMs: 1_010 }] }), {})
  t.strictSame(findings({ answers: [answer(504)], windows: [{ ...CUT, startMs: 800, endMs: 860 }] }), {})
})

t.test('finds a command of a killed server that the next one published', async t => {
  const changes = { answers: [answer('ECONNRESET')], windows: [KILLED] }
  t.strictSame(findings({ ...changes, publications: [publication(0, { atMs: 2_000 })], restartsMs: [1_500] }), {
    'published by a server that was started afterwards': ['r1: ECONNRESET, sent at 1000 ms, server started at 1500 ms']
  })
  t.strictSame(findings({ ...changes, restartsMs: [500, 1_500] }), {}, 'published before')
  t.strictSame(findings({ ...changes, publications: [publication(0, { atMs: 2_000 })], restartsMs: [500] }), {}, 'asked for afterwards')
})

t.test('finds a delivery that the recorder missed, and one that the subscriber missed', async t => {
  const check = 'recorder and subscriber contradict each other'
  t.strictSame(findings({ answers: [answer(504)], windows: [KILLED], publications: [] }), { [check]: ['r1: delivered, but not recorded'] })
  t.strictSame(findings({ deliveries: [] }), { [check]: ['r1: acknowledged, but not delivered'] })
  t.strictSame(findings({ deliveries: [], rules: { leastHealthyShare: undefined, brokerLives: false } }), {}, 'a broker that was killed loses what it acknowledged')
})

t.test('finds too few 200 among the answers outside of the windows', async t => {
  const windows = [{ kinds: ['cut'], startMs: 2_000, endMs: 3_000 }]
  const refused = (requestId: string, answeredAtMs: number) => answer(406, { requestId, answeredAtMs })
  const rules = { leastHealthyShare: 0.5, brokerLives: true }
  t.strictSame(findings({ windows, rules, answers: [answer(200), refused('r2', 1_999), refused('r3', 2_000), refused('r4', 3_000)] }), {})
  t.strictSame(findings({ windows, rules, answers: [answer(200), refused('r2', 1_999), refused('r3', 3_001)] }), {
    'too few 200 while the link was healthy': ['1 of 3, at least 50 % are due']
  })
})

t.test('finds that nothing was answered while the link was healthy', async t => {
  t.strictSame(findings({ windows: [{ ...CUT, endMs: 2_000 }], rules: { leastHealthyShare: 0.9, brokerLives: true } }), {
    'too few 200 while the link was healthy': ['0 of 0, at least 90 % are due']
  })
})

t.test('does not pass a run that has only 504', async t => {
  const { findings } = judge(evidence({ answers: [answer(504)], windows: [], rules: { leastHealthyShare: 0.9, brokerLives: true } }))
  t.strictSame(findings.get('too few 200 while the link was healthy'), ['0 of 1, at least 90 % are due'])
})

t.test('finds what was published for another device, or for nobody', async t => {
  const check = 'published for another device, or for nobody'
  const elsewhere = publication(0, { topic: 'devices/2/commands' })
  t.strictSame(findings({ publications: [elsewhere] }), { [check]: ['id "c1", request_id "r1", topic "devices/2/commands"'] })
  t.strictSame(findings({ deliveries: [delivery(), delivery({ requestId: '', topic: 'devices/9/commands' })] }), {
    [check]: ['id "c1", request_id "", topic "devices/9/commands"']
  })
})

t.test('finds metrics of the server that are not what the callers were told', async t => {
  const agreed = { accepted: 1, notSent: 0, unknown: 0 }
  t.strictSame(findings({ figures: agreed }), {})
  t.strictSame(findings({ figures: { accepted: 0, notSent: 0, unknown: 2 } }), {
    'the metrics of the server say otherwise': ['accepted: 0, but 1 callers were told so', 'unknown: 2, but 0 callers were told so']
  })
})
