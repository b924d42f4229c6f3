import t from 'tap'
import { readAnswers } from './answers.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'

t.test('reads answers, and what came of the next one', async t => {
  const { answers, rest } = readAnswers(`HTTP/1.1 100 Continue\r\n\r\n${OK}HTTP/1.1 204 No Content\r\nA: b\r\n\r\nHTTP/1.1 2`, ['POST', 'OPTIONS', 'GET'])
  t.strictSame(answers, [
    { status: 200, headers: new Map([['content-length', '2']]), body: '{}' },
    { status: 204, headers: new Map([['a', 'b']]), body: '' }
  ])
  t.equal(rest, 'HTTP/1.1 2')
})

t.test('knows that an answer to HEAD has no body', async t => {
  t.equal(readAnswers(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${OK}`, ['HEAD', 'GET']).answers.length, 2)
  t.equal(readAnswers(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${OK}`, []).answers.length, 2, 'where the method is not known')
})

t.test('leaves what no server should write', async t => {
  for (const bytes of ['junk\r\n\r\n', OK.replace('1.1', '1.0'), OK.replace('200', '2000'), OK.replace('Length', 'Length '), OK.replace('2\r', '2\r\nContent-Length: 2\r'), OK.replace(': 2', ': x')]) {
    t.strictSame(readAnswers(bytes, ['GET']), { answers: [], rest: bytes }, bytes)
  }
})
