import t from 'tap'
import { readMemberText } from '../../src/json/member-text.js'

t.test('reads the value of a member as it stands there', async t => {
  const cases: Array<[string, string | undefined]> = [
    ['{"result":1}', '1'],
    ['{ "id" : "a" , "result" : 26372637216372637126376237 }', '26372637216372637126376237'],
    ['{"result":1e400,"id":"a"}', '1e400'],
    ['{"result":{"result":2,"a":[",",{"b":"}"}]},"id":"result"}', '{"result":2,"a":[",",{"b":"}"}]}'],
    ['{"a":{"result":1},"b":[{"result":2}],"c":"result","result":"x\\"y"}', '"x\\"y"'],
    ['{"resul\\u0074":null}', 'null'],
    ['{"result":1,"result":2}', '2'],
    ['{"result":"","id":"result"}', '""'],
    ['{"id":"result"}', undefined],
    ['{"a":{"result":1}}', undefined],
    ['{}', undefined]
  ]
  for (const [text, value] of cases) {
    t.doesNotThrow(() => JSON.parse(text))
    t.equal(readMemberText(text, 'result'), value, text)
  }
})

t.test('reads texts of thousands of levels', async t => {
  const deep = '['.repeat(8000) + ']'.repeat(8000)
  t.equal(readMemberText(`{"result":${deep}}`, 'result'), deep)
})
