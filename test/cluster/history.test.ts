import t from 'tap'
import { tellHistory } from '../../deploy/cluster/history.js'

t.test('tells what was seen of one command in the order of time, and nothing of another', async t => {
  const topic = 'devices/1/commands'
  const evidence = {
    commands: ['1', '2'].map(imei => ({
      imei,
      exchanges: [{ status: undefined, isReplayed: false, atMs: 1_300 }, { status: 409, isReplayed: false, atMs: 1_800 }, { status: 200, isReplayed: true, atMs: 2_400 }],
      final: 200 as const,
      surprise: undefined
    })),
    publications: [
      { topic, imei: '1', id: 'a', atMs: 1_100, acknowledgedMs: 1_900 },
      { topic, imei: '1', id: 'b', atMs: 1_200, acknowledgedMs: undefined },
      { topic: 'devices/2/commands', imei: '2', id: 'c', atMs: 1_150, acknowledgedMs: 1_150 }
    ],
    deliveries: [{ topic, imei: '1', id: 'a', atMs: 2_000 }, { topic: 'devices/2/commands', imei: '2', id: 'c', atMs: 1_200 }]
  }
  t.strictSame(tellHistory(evidence, '1', 1_000), [
    '    0.100 s  PUBLISH to devices/1/commands, id "a"',
    '    0.200 s  PUBLISH to devices/1/commands, id "b"',
    '    0.300 s  no answer of the messenger',
    '    0.800 s  answered 409',
    '    0.900 s  PUBACK, id "a"',
    '    1.000 s  delivered from devices/1/commands, id "a"',
    '    1.400 s  answered 200, replayed'
  ])
})
