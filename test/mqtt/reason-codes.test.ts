import t from 'tap'
import { isRefusal, nameRefusal, NO_MATCHING_SUBSCRIBERS, NOT_AUTHORIZED, QUOTA_EXCEEDED } from '../../src/mqtt/reason-codes.js'

/** Every reason code of a PUBACK that refuses (MQTT 5, table 3-4), with its name in lower case. */
const REFUSALS: ReadonlyArray<readonly [code: number, name: string]> = [
  [0x80, 'unspecified error'],
  [0x83, 'implementation specific error'],
  [0x87, 'not authorized'],
  [0x90, 'topic name invalid'],
  [0x91, 'packet identifier in use'],
  [0x97, 'quota exceeded'],
  [0x99, 'payload format invalid']
]

t.test('has the codes of MQTT 5', async t => {
  t.equal(NO_MATCHING_SUBSCRIBERS, 0x10)
  t.equal(NOT_AUTHORIZED, 0x87)
  t.equal(QUOTA_EXCEEDED, 0x97)
})

t.test('takes every code from 0x80 on as a refusal, and none below', async t => {
  for (let code = 0; code <= 0xff; code++) {
    if (isRefusal(code) !== (code > 0x7f)) t.fail(`0x${code.toString(16)}`)
  }
  t.equal(isRefusal(0x7f), false)
  t.equal(isRefusal(0x80), true)
  t.equal(isRefusal(NO_MATCHING_SUBSCRIBERS), false, 'nobody subscribed is accepted')
})

t.test('names each refusal that MQTT 5 defines for a PUBACK', async t => {
  for (const [code, name] of REFUSALS) t.equal(nameRefusal(code), name)
})

t.test('shows a code that MQTT 5 does not define for a PUBACK as a number', async t => {
  t.equal(nameRefusal(0x9f), 'reason code 0x9f')
  t.equal(nameRefusal(0xff), 'reason code 0xff')
})
