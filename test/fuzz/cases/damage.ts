import fc, { type Arbitrary } from 'fast-check'

type Change = (bytes: string, at: number) => string

const insertAt = (bytes: string, at: number, text: string) => bytes.slice(0, at) + text + bytes.slice(at)

/** Puts a line into the first head. */
const addLine = (line: string): Change => bytes => bytes.replace('\r\n', `\r\n${line}\r\n`)

/** What is done to bytes that were requests. */
const changes: readonly Change[] = [
  (bytes, at) => bytes.slice(0, at),
  (bytes, at) => bytes.slice(at),
  (bytes, at) => bytes.slice(0, at) + bytes.slice(at + 1),
  (bytes, at) => bytes.slice(0, at) + bytes.slice(at + 20),
  (bytes, at) => insertAt(bytes, at, bytes.slice(at, at + 30)),
  ...['\0', '\r', '\n', '\r\n', ' ', '\t', ':', '\x7f', '\xff', 'x', '0', ';', ',', '\r\n\r\n'].map((text): Change => (bytes, at) => insertAt(bytes, at, text)),
  ...[0x01, 0x20, 0x80].map((bit): Change => (bytes, at) => insertAt(bytes.slice(0, at) + bytes.slice(at + 1), at, String.fromCharCode(bytes.charCodeAt(at) ^ bit))),
  ...[
    'Host: other', 'Content-Length: 0', 'Content-Length: 5', 'Content-Length: -1', 'Content-Length: +5', 'Content-Length: 0x10', 'Content-Length: 5, 5', 'Content-Length: 99999999999999999999',
    'Content-Length: ', 'Content-Length : 5', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: xchunked', 'Transfer-Encoding:\tchunked', 'Transfer-Encoding : chunked', 'Authorization: Bearer e30.e30.e30', 'Connection: close', 'Connection: Content-Length', ' folded', ': no name', 'no colon',
    'Na me: x', 'N\0: x', 'X: \x01', 'Expect: 100-continue', 'Upgrade: websocket\r\nConnection: Upgrade'
  ].map(addLine),
  bytes => bytes.replace('HTTP/1.1', 'HTTP/1.0'),
  bytes => bytes.replace('HTTP/1.1', 'HTTP/2.0'),
  bytes => bytes.replace('HTTP/1.1', 'HTTP/1.10'),
  bytes => bytes.replace(' HTTP/1.1', ''),
  bytes => bytes.replace('POST ', 'POST  '),
  // What Node's parser knows as well: RTSP, and the preface of HTTP/2.
  bytes => bytes.replace('POST ', 'DESCRIBE ').replace('HTTP/1.1', 'RTSP/1.0'),
  bytes => bytes.replace('POST ', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nPOST '),
  bytes => bytes.replaceAll('\r\n', '\n'),
  bytes => `\r\n\n${bytes}\r\n`,
  bytes => bytes.replace(/Content-Length: (\d+)/, (_all, length: string) => `Content-Length: ${Number(length) + 1}`),
  bytes => bytes.replace(/Content-Length: (\d+)/, (_all, length: string) => `Content-Length: ${Math.max(0, Number(length) - 1)}`),
  bytes => bytes.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked'),
  bytes => `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${bytes}`
]

/** Damages the bytes of requests in one to three places, or replaces them by none at all. */
export function damage (bytes: string): Arbitrary<string> {
  const damaged = fc.array(fc.tuple(fc.constantFrom(...changes), fc.nat({ max: bytes.length - 1 })), { minLength: 1, maxLength: 3 })
    .map(all => all.reduce((changed, [change, at]) => change(changed, Math.min(at, changed.length)), bytes))
  const random = fc.uint8Array({ minLength: 1, maxLength: 300 }).map(some => Buffer.from(some).toString('latin1'))
  return fc.oneof({ weight: 20, arbitrary: damaged }, { weight: 1, arbitrary: random })
}
