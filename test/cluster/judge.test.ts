import t from 'tap'
import type { Final } from '../../deploy/cluster/callers.js'
import { judge } from '../../deploy/cluster/judge.js'

const command = (imei: string, final: Final) => ({ imei, final, surprise: undefined })
const published = (imei: string, id: string, isAcknowledged = true) => ({ imei, id, isAcknowledged })
const CLEAN = { sentAfter406: [], neverAcknowledged: [], publishedTwice: [], lostByBroker: [], delivered: 0, unanswered: [] }

t.test('finds nothing where each outcome is true, and counts what the broker delivers again once', async t => {
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 406), command('3', 504)],
    publications: [published('1', 'a'), published('3', 'b', false)],
    deliveries: [{ imei: '1', id: 'a' }, { imei: '1', id: 'a' }]
  }), { ...CLEAN, delivered: 1 })
})

t.test('finds a command that was answered 406 and yet written, or delivered', async t => {
  t.strictSame(judge({
    commands: [command('1', 406), command('2', 406)],
    publications: [published('1', 'a', false)],
    deliveries: [{ imei: '2', id: 'b' }]
  }), { ...CLEAN, sentAfter406: ['1', '2'], delivered: 1 })
})

t.test('finds a command that was answered 200 and never acknowledged', async t => {
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 200)],
    publications: [published('1', 'a', false)],
    deliveries: [{ imei: '1', id: 'a' }]
  }), { ...CLEAN, neverAcknowledged: ['1', '2'], delivered: 1 })
})

t.test('finds a command that was published twice, by recorder or devices', async t => {
  t.strictSame(judge({
    commands: [command('1', 200), command('2', 504)],
    publications: [published('1', 'a'), published('1', 'a'), published('2', 'b')],
    deliveries: [{ imei: '1', id: 'a' }, { imei: '2', id: 'b' }, { imei: '2', id: 'c' }]
  }), { ...CLEAN, publishedTwice: ['1', '2'], delivered: 2 })
})

t.test('tells what the broker lost from what the messenger broke', async t => {
  t.strictSame(judge({ commands: [command('1', 200)], publications: [published('1', 'a')], deliveries: [] }), { ...CLEAN, lostByBroker: ['1'] })
})

t.test('names the commands of which nothing, or nothing documented, is known in the end', async t => {
  t.strictSame(judge({ commands: [command('1', 'none'), command('2', 'other')], publications: [], deliveries: [] }), { ...CLEAN, unanswered: ['1', '2'] })
})
