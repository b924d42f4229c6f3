import t from 'tap'
import { readReply } from '../../src/mqtt/read-reply.js'

const read = (payload: string, id?: string) => readReply(Buffer.from(payload), id === undefined ? undefined : Buffer.from(id))

t.test('takes the payload for the answer where there is Correlation Data: JSON as it came, else a text', async t => {
  const answers = Object.entries({
    '{"gate":"down"}': '{"gate":"down"}',
    ' [1, 2] ': ' [1, 2] ',
    '"done"': '"done"',
    null: 'null',
    ' \t\r\n-1.5e3': ' \t\r\n-1.5e3',
    true: 'true',
    done: '"done"',
    no: '"no"',
    '\u00a01': '"\u00a01"',
    '': '""',
    '{"half":': '"{\\"half\\":"',
    '{"id":"other","result":1}': '{"id":"other","result":1}',
    'ü "x"': '"ü \\"x\\""'
  })
  // Above 2^53: it would be another number after it was read and written again.
  answers.push(['[26372637216372637126376237]', '[26372637216372637126376237]'])
  for (const [payload, json] of answers) t.strictSame(read(payload, 'id-1'), { id: 'id-1', json }, payload)
})

t.test('takes id and result from a payload without Correlation Data', async t => {
  const answers = {
    '{"id":"id-1","result":{"gate":"down"}}': '{"gate":"down"}',
    '{"result":"done","id":"id-1"}': '"done"',
    '{"id":"id-1","result":null}': 'null',
    '{"id":"id-1","result":false,"more":1}': 'false',
    '{"id":"id-1","result": {"iccid": 89310410106543789301} }': '{"iccid": 89310410106543789301}'
  }
  for (const [payload, json] of Object.entries(answers)) t.strictSame(read(payload), { id: 'id-1', json }, payload)
})

t.test('takes nothing else for a reply', async t => {
  for (const payload of ['', 'done', '{', 'null', '"id-1"', '[]', '{}', '{"id":"id-1"}', '{"result":1}', '{"id":1,"result":1}', '{"id":null,"result":1}']) {
    t.equal(read(payload), undefined, payload)
  }
})

t.test('takes nothing that is no UTF-8', async t => {
  t.equal(readReply(Buffer.from([0x22, 0xff, 0x22]), Buffer.from('id-1')), undefined)
  t.equal(readReply(Buffer.from([0xc3]), undefined), undefined)
})

t.test('takes JSON that is nested as deeply as 16 KiB can be, without an error', async t => {
  const deep = '['.repeat(8000) + ']'.repeat(8000)
  t.equal(read(deep, 'id-1')?.json, deep)
  t.equal(read(`{"id":"id-1","result":${deep}}`)?.json, deep)
})
