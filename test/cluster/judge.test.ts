import t from 'tap'
import type { Exchange, Final } from '../../deploy/cluster/callers.js'
import { judge, passes, type Evidence } from '../../deploy/cluster/judge.js'

const answered = (status: number, atMs = 20): Exchange => ({ status, isReplayed: false, atMs })
const replayed = (status: number, atMs = 20): Exchange => ({ status, isReplayed: true, atMs })
const UNKNOWN: Exchange = { status: undefined, isReplayed: false, atMs: 5 }

/** A command that was asked for once, or as often as is said. */
const command = (imei: string, final: Final, exchanges: Exchange[] = typeof final === 'number' ? [answered(final)] : []) => ({ imei, final, exchanges, surprise: undefined })
const published = (imei: string, id: string, acknowledgedMs = 10) => ({ topic: `devices/${imei}/commands`, imei, id, atMs: 9, acknowledgedMs })
const delivered = (imei: string, id: string) => ({ topic: `devices/${imei}/commands`, imei, id, atMs: 11 })
const unacknowledged = (imei: string, id: string) => ({ ...published(imei, id), acknowledgedMs: undefined })

const CLEAN = {
  sentThoughDenied: [], acceptedTooSoon: [], publishedTwice: [], strays: [], lostByBroker: [], accepted: 0, delivered: 0, deliveredAgain: 0, unanswered: []
}

/** Evidence of commands, in which nothing was written but what is said. */
const evidence = (commands: Evidence['commands'], publications: Evidence['publications'] = [], deliveries: Evidence['deliveries'] = []) => ({ commands, publications, deliveries })

t.test('finds nothing where each outcome is true, and counts what the broker delivers again once', async t => {
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 406), command('3', 504)],
    publications: [published('1', 'a'), unacknowledged('3', 'b')],
    deliveries: [delivered('1', 'a'), delivered('1', 'a')]
  }), { ...CLEAN, accepted: 1, delivered: 1, deliveredAgain: 1 })
})

t.test('finds a command that was answered 406 and yet written, or delivered', async t => {
  t.strictSame(judge({
    commands: [command('1', 406), command('2', 406), command('3', 406, [UNKNOWN, answered(406)])],
    publications: [unacknowledged('1', 'a'), unacknowledged('3', 'c')],
    deliveries: [delivered('2', 'b')]
  }), { ...CLEAN, sentThoughDenied: ['1', '2', '3'], delivered: 1 })
})

t.test('finds a command that was written though every answer said that it was not', async t => {
  t.strictSame(judge({
    commands: [command('1', 'none', [answered(503), answered(409)]), command('2', 'other', [answered(500)]), command('3', 'none', [answered(503)])],
    publications: [published('1', 'a'), published('2', 'b')],
    deliveries: []
  }), { ...CLEAN, sentThoughDenied: ['1', '2'], unanswered: ['1', '2', '3'] })
})

t.test('finds a replayed 200 where every exchange before it said that nothing was published', async t => {
  const histories = [[answered(503)], [answered(409)], [answered(503), answered(409), answered(503)], []]
  const commands = histories.map((history, index) => command(String(index), 200, [...history, replayed(200)]))
  const publications = commands.map(({ imei }) => published(imei, 'a'))
  const deliveries = commands.map(({ imei }) => delivered(imei, 'a'))
  t.strictSame(judge({ commands, publications, deliveries }), { ...CLEAN, sentThoughDenied: ['0', '1', '2', '3'], accepted: 4, delivered: 4 })
})

t.test('finds nothing in a replayed 200 where an exchange before it may have published', async t => {
  const histories = [[UNKNOWN], [UNKNOWN, answered(409)], [answered(503), UNKNOWN, answered(503)], [answered(504)], [answered(409), answered(504)], [UNKNOWN, replayed(504)]]
  const commands = histories.map((history, index) => command(String(index), 200, [...history, replayed(200)]))
  const publications = commands.map(({ imei }) => published(imei, 'a'))
  const deliveries = commands.map(({ imei }) => delivered(imei, 'a'))
  t.strictSame(judge({ commands, publications, deliveries }), { ...CLEAN, accepted: 6, delivered: 6 })
})

t.test('finds nothing in a 200 of its own after any refusal', async t => {
  t.strictSame(judge({
    commands: [command('1', 200, [answered(503, 1), answered(409, 2), answered(200)])],
    publications: [published('1', 'a')],
    deliveries: [delivered('1', 'a')]
  }), { ...CLEAN, accepted: 1, delivered: 1 })
})

t.test('finds a command that was answered 200 and never acknowledged', async t => {
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 200)],
    publications: [unacknowledged('1', 'a')],
    deliveries: [delivered('1', 'a')]
  }), { ...CLEAN, acceptedTooSoon: ['1', '2'], accepted: 2, delivered: 1 })
})

t.test('finds a command that was answered 200 before it was acknowledged, by its first 200', async t => {
  t.strictSame(judge({
    commands: [command('1', 200, [answered(200, 20)]), command('2', 200, [answered(200, 20), replayed(200, 40)]), command('3', 200, [UNKNOWN, replayed(200, 40)])],
    publications: [published('1', 'a', 20.001), published('2', 'b', 30), published('3', 'c', 30)],
    deliveries: [delivered('1', 'a'), delivered('2', 'b'), delivered('3', 'c')]
  }), { ...CLEAN, acceptedTooSoon: ['1', '2'], accepted: 3, delivered: 3 })
})

t.test('finds a command that was published twice, by recorder or devices', async t => {
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 504)],
    publications: [published('1', 'a'), published('1', 'a'), published('2', 'b')],
    deliveries: [delivered('1', 'a'), delivered('2', 'b'), delivered('2', 'c')]
  }), { ...CLEAN, publishedTwice: ['1', '2'], accepted: 1, delivered: 2, deliveredAgain: 1 })
})

t.test('finds what went to the topic of another device, at the recorder and at the devices', async t => {
  const wrong = { topic: 'devices/2/commands' }
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 406)],
    publications: [{ ...published('1', 'a'), ...wrong }],
    deliveries: [{ ...delivered('1', 'a'), ...wrong }]
  }), {
    ...CLEAN,
    strays: ['written to devices/2/commands: imei "1", id "a"', 'delivered from devices/2/commands: imei "1", id "a"'],
    lostByBroker: ['1'],
    accepted: 1
  })
})

t.test('finds what belongs to no command', async t => {
  const unreadable = { topic: 'devices/1/commands', imei: '', id: '', atMs: 9 }
  t.strictSame(judge({
    commands: [command('1', 406)],
    publications: [published('2', 'a'), { ...unreadable, acknowledgedMs: undefined }],
    deliveries: [delivered('3', 'b'), unreadable]
  }), {
    ...CLEAN,
    strays: [
      'written to devices/2/commands: imei "2", id "a"', 'written to devices/1/commands: imei "", id ""',
      'delivered from devices/3/commands: imei "3", id "b"', 'delivered from devices/1/commands: imei "", id ""'
    ]
  })
})

t.test('tells what the broker lost from what the messenger broke', async t => {
  t.strictSame(judge(evidence([command('1', 200)], [published('1', 'a')])), { ...CLEAN, lostByBroker: ['1'], accepted: 1 })
})

t.test('names the commands of which nothing, or nothing documented, is known in the end', async t => {
  const commands = [command('1', 'none'), command('2', 'other'), { ...command('3', 'none'), final: undefined }]
  t.strictSame(judge(evidence(commands)), { ...CLEAN, unanswered: ['1', '2', '3'] })
})

t.test('passes where nothing is found and half of the commands are answered 200, whatever the broker lost', async t => {
  t.ok(passes(judge(evidence([command('1', 200), command('2', 406)], [published('1', 'a')])), 2))
})

t.test('does not pass where less than half of the commands are answered 200, or nothing was sent', async t => {
  t.notOk(passes(judge(evidence([command('1', 200), command('2', 406), command('3', 406)], [published('1', 'a')])), 3))
  t.notOk(passes(judge(evidence([])), 0))
})

t.test('does not pass where anything is found', async t => {
  for (const finding of ['sentThoughDenied', 'acceptedTooSoon', 'publishedTwice', 'strays', 'unanswered']) {
    t.notOk(passes({ ...CLEAN, accepted: 1, [finding]: ['1'] }, 1), finding)
  }
  t.ok(passes({ ...CLEAN, accepted: 1 }, 1))
})
