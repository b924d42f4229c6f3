import t from 'tap'
import { readStream } from './http.js'

/** The end of a stream, with the body of each of its requests. */
function read (bytes: string) {
  const { requests, end } = readStream(bytes)
  return [end, ...requests.map(({ body }) => body)]
}

const HEAD = 'POST /a HTTP/1.1\r\nHost: a\r\n'

t.test('reads requests one after the other', async t => {
  t.strictSame(read(''), ['clean'])
  t.strictSame(read(`\r\n${HEAD}\r\n`), ['clean', ''])
  t.strictSame(read(`${HEAD}Content-Length: 2\r\n\r\n{}${HEAD}Transfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n`), ['clean', '{}', '{}'])
  t.strictSame(readStream('GET /b HTTP/1.0\r\nA:\t b \r\n\r\n').requests, [
    { method: 'GET', target: '/b', version: '1.0', headers: [{ name: 'a', value: 'b' }], body: '' }
  ])
})

t.test('calls broken what no server may take', async t => {
  for (const bytes of [
    'x', 'BREW / HTTP/1.1\r\n\r\n', `${HEAD}no colon\r\n\r\n`, `${HEAD}a : b\r\n\r\n`, `${HEAD}a: \0\r\n\r\n`, `${HEAD}a: ${'x'.repeat(17_000)}\r\n\r\n`
  ]) t.strictSame(read(bytes), ['broken'], bytes.slice(0, 60))
  for (const lines of [
    'Content-Length: 3\r\n\r\n{}', 'Content-Length: +2\r\n\r\n{}', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    'Transfer-Encoding: chunked\r\n\r\nx\r\n', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}'
  ]) t.strictSame(read(HEAD + lines), ['broken', undefined], lines)
  t.strictSame(read(`${HEAD}Connection: close\r\n\r\n${HEAD}\r\n`), ['broken', ''], 'nothing may be done after a close')
})

t.test('calls debatable what some servers take', async t => {
  for (const bytes of [
    HEAD.replaceAll('\r', '') + '\n', `${HEAD} folded\r\n\r\n`, 'GET  / HTTP/1.1\r\n\r\n', 'GET / HTTP/2.0\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\n\r\n', 'GET a HTTP/1.1\r\n\r\n',
    `${HEAD}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, `${HEAD}Content-Length: 0\t\r\n\r\n`, `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n`, `${HEAD}Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n`
  ]) t.strictSame(read(bytes), ['debatable'], bytes)
})
