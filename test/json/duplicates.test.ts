import t from 'tap'
import { findDuplicateMember } from '../../src/json/duplicates.js'

const find = (text: string) => findDuplicateMember(text, JSON.parse(text))

t.test('finds nothing where each name of an object is there once', async t => {
  for (const text of [
    '{}', '[]', 'null', '"a:b"', '1', '{"a":1}', '{"a":1,"b":{"a":2,"b":[{"a":3},{"a":4}]},"c":":"}',
    '{":":1,"b":"{\\"b\\":1}"}', '[{"a":1},{"a":":"}]', '{"__proto__":1,"constructor":2}', '{"a":null,"A":null,"":":"}',
    '{"1":":","01":2}', '{"a":{"b":":"},"b":{"a":1}}', '{"a:":"1","a":2}'
  ]) {
    t.equal(find(text), undefined, text)
  }
})

t.test('finds the name that an object has twice, and where it stands again', async t => {
  const cases: Array<[string, string, number]> = [
    ['{"a":1,"a":1}', 'a', 7],
    ['{"imei":"1","imei":"2","micro_op":"a"}', 'imei', 12],
    ['{"a":{},"b":[{"c":[1,{"x":":"}],"d":{"c":1},"c":2}]}', 'c', 44],
    ['{"a":1,"\\u0061":2}', 'a', 7],
    ['{"":1,"":2}', '', 6],
    ['{"__proto__":1,"__proto__":2}', '__proto__', 15],
    ['{"a":":","b":{"a":1},"a":2}', 'a', 21],
    ['{"a":{"b":1},"a":{"b":1}}', 'a', 13]
  ]
  for (const [text, name, offset] of cases) t.strictSame(find(text), { name, offset }, text)
})

t.test('reads texts of thousands of levels', async t => {
  const deep = (inner: string) => `${'{"a":['.repeat(4_000)}${inner}${']}'.repeat(4_000)}`
  t.equal(find(deep('":"')), undefined)
  t.strictSame(find(deep('{"b":1,"b":2}')), { name: 'b', offset: 24_007 })
})
