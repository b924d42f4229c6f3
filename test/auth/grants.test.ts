import t from 'tap'
import { covers, readGrants } from '../../src/auth/grants.js'

/** Whether `authorization_details` allow push_down for the device 42. */
const allow = (details: unknown) => covers(readGrants(details), '42', 'push_down')

t.test('covers the device and the operations that an entry names, and no others', async t => {
  const grants = readGrants([{ type: 'messaging', identifier: '42', actions: ['push_down', 'push_up'] }])
  t.equal(covers(grants, '42', 'push_down'), true)
  t.equal(covers(grants, '42', 'push_up'), true)
  for (const [imei, microOp] of [['43', 'push_down'], ['42', 'push'], ['42', 'PUSH_DOWN'], ['4', 'push_up'], ['', '']] as const) {
    t.equal(covers(grants, imei, microOp), false, `${imei} ${microOp}`)
  }
})

t.test('covers everything that an entry leaves out', async t => {
  t.equal(allow([{ type: 'messaging' }]), true)
  t.equal(allow([{ type: 'messaging', identifier: '42' }]), true)
  t.equal(allow([{ type: 'messaging', actions: ['push_down'] }]), true)
  t.equal(allow([{ type: 'messaging', identifier: '43' }]), false)
  t.equal(allow([{ type: 'messaging', actions: ['push_up'] }]), false)
})

t.test('is content with any one entry, but does not take the device of one and the operation of another', async t => {
  t.equal(allow([{ type: 'payment' }, { type: 'messaging', identifier: '43' }, { type: 'messaging', identifier: '42' }]), true)
  t.equal(allow([{ type: 'messaging', identifier: '42', actions: ['push_up'] }, { type: 'messaging', identifier: '43', actions: ['push_down'] }]), false)
})

t.test('grants nothing by an empty list of operations, or to a device without a name', async t => {
  t.equal(allow([{ type: 'messaging', actions: [] }]), false)
  t.equal(allow([{ type: 'messaging', identifier: '' }]), false)
})

t.test('grants nothing by entries of another type, or of none', async t => {
  t.equal(allow([]), false)
  for (const type of ['payment', 'Messaging', '', undefined, null, ['messaging']]) t.equal(allow([{ type }]), false, JSON.stringify(type))
  t.equal(allow([{ identifier: '42', actions: ['push_down'] }]), false)
})

t.test('grants nothing by an entry with members that are not understood', async t => {
  for (const more of [{ locations: ['https://here.example'] }, { until: 7 }, { Actions: [] }, { constructor: 1 }]) {
    t.equal(allow([{ type: 'messaging', ...more }]), false, JSON.stringify(more))
    t.equal(allow([{ type: 'messaging', ...more }, { type: 'messaging', identifier: '42' }]), true, 'the other entry counts')
  }
  t.equal(allow(JSON.parse('[{"type":"messaging","__proto__":{}}]')), false)
})

t.test('grants nothing by a malformed entry', async t => {
  for (const entry of [null, 7, 'messaging', ['messaging'], [], true]) t.equal(allow([entry]), false, JSON.stringify(entry))
  for (const identifier of [42, null, ['42'], { 42: true }]) t.equal(allow([{ type: 'messaging', identifier }]), false, JSON.stringify(identifier))
  for (const actions of ['push_down', null, { 0: 'push_down' }, ['push_down', 7], [['push_down']]]) {
    t.equal(allow([{ type: 'messaging', actions }]), false, JSON.stringify(actions))
  }
})

t.test('grants nothing by a claim that is no list', async t => {
  for (const details of [null, 'messaging', 7, true, { type: 'messaging' }, { length: 1, 0: { type: 'messaging' } }, '[{"type":"messaging"}]']) {
    t.strictSame(readGrants(details), [], JSON.stringify(details))
  }
})
