import fc, { type Arbitrary } from 'fast-check'
import { latin1, type Lines } from './lines.js'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'SEARCH', 'M-SEARCH', 'PURGE', 'LOCK', 'QUERY']

export const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...METHODS) },
  { weight: 2, arbitrary: fc.constantFrom('GET', 'HEAD') },
  { weight: 1, arbitrary: fc.constantFrom('post', 'PoSt', 'BREW', 'PRI', 'DESCRIBE', 'SETUP', 'GETS', 'P', '__proto__') },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'ABCXYZabc-_!|~'), minLength: 1, maxLength: 12 }) }
)

const PATHS = ['/messaging/send', '/health/live', '/health/ready', '/openapi.json', '/docs']

/** Any byte in percent-encoding, or something that only looks like one. */
const encoded = fc.oneof(fc.integer({ min: 0, max: 255 }).map(byte => `%${byte.toString(16).padStart(2, '0')}`), fc.constantFrom('%', '%zz', '%2', '%C0%AF', '%u0041', '%25', '%252f', '%E2%82%AC'))

export const target = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PATHS) },
  // One character of a known path in its encoding, which changes nothing, or something put in.
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...PATHS), fc.integer({ min: 1, max: 14 })).map(([path, at]) => `${path.slice(0, at)}${[...path.slice(at, at + 1)].map(one => `%${one.charCodeAt(0).toString(16)}`).join('')}${path.slice(at + 1)}`) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...PATHS), fc.integer({ min: 1, max: 14 }), fc.oneof(encoded, fc.constantFrom('/', '//', '/./', '/../', ';a=b', '#a', '\\', '*', ':'))).map(([path, at, text]) => path.slice(0, at) + text + path.slice(at)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...PATHS), fc.constantFrom('?', '?a=b', '?%zz', '?access_token=e30.e30.e30', '/', '/x', '//', '.json', '%20', '%00', '?a?b')).map(parts => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('http://messenger.example', 'HTTP://a', 'https://a:443', 'http://[::1]'), fc.constantFrom(...PATHS, '', '/', '/nowhere')).map(parts => parts.join('')) },
  { weight: 1, arbitrary: fc.array(fc.oneof(encoded, fc.constantFrom('/', 'a', '..', 'messaging', 'send')), { maxLength: 12 }).map(parts => `/${parts.join('')}`) },
  { weight: 1, arbitrary: fc.constantFrom('*', '/', '/MESSAGING/SEND', '//messaging/send', '/messaging', '/metrics', '/__proto__', '/constructor', `/${'a/'.repeat(3_000)}`, `/messaging/send?${'q'.repeat(9_000)}`, 'messaging/send', 'ftp://a/b', '/\xe9') }
)

export const host: Arbitrary<Lines> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Lines>([['Host', 'messenger.example']]) },
  { weight: 1, arbitrary: fc.constant<Lines>([]) },
  { weight: 1, arbitrary: fc.constant<Lines>([['Host', 'a'], ['host', 'b']]) },
  { weight: 1, arbitrary: fc.oneof(latin1, fc.constantFrom('', 'a b', 'a:80', 'a:99999', '[::1]:80', 'a,b', 'a/b', '@')).map((value): Lines => [['Host', value]]) }
)

export const mediaType: Arbitrary<Lines> = fc.tuple(
  fc.oneof(
    fc.constantFrom<Lines>([], [['Content-Type', 'application/json']], [['content-type', 'Application/JSON; charset=utf-8']], [['Content-Type', 'application/json;charset="utf-8"']],
      [['Content-Type', 'application/json'], ['Content-Type', 'text/plain']], [['Content-Type', 'text/plain'], ['Content-Type', 'application/json']]),
    fc.oneof(latin1, fc.constantFrom('', 'text/plain', 'text/json', 'application/jsonp', 'application/json5', 'application/problem+json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', 'application/json,text/plain', 'application/json;', 'application/json; =', 'application /json', '*/*', 'json', 'application/json\ttext/plain', 'application/json; charset=utf-16', 'application/json/x', '__proto__'))
      .map((value): Lines => [['Content-Type', value]])
  ),
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Lines>([]) },
    { weight: 1, arbitrary: fc.oneof(latin1, fc.constantFrom('gzip', 'br', 'identity', 'IDENTITY', 'identity, gzip', 'x', '')).map((value): Lines => [['Content-Encoding', value]]) }
  )
).map(lines => lines.flat())

/** Few, so that the records of a run are bounded; some are no keys. */
const key = fc.oneof(fc.integer({ min: 0, max: 60 }).map(n => `key-${n}`), fc.constantFrom('"quoted"', '"a\\"b"', '"a', 'a"b', '""', '', 'a b', 'a, b', 'é', '"a" ', 'x'.repeat(255), 'x'.repeat(256), '"\\x"', ';', ','))

const known = fc.oneof(
  key.map((value): Lines => [['Idempotency-Key', value]]),
  fc.tuple(key, key).map(([one, other]): Lines => [['Idempotency-Key', one], ['idempotency-key', other]]),
  fc.oneof(latin1, fc.constantFrom('mine', 'x'.repeat(129), 'a b', '../..', '{}')).map((value): Lines => [['X-Request-Id', value]]),
  fc.constant<Lines>([['X-Request-Id', 'one'], ['X-Request-Id', 'two']]),
  fc.oneof(latin1, fc.constantFrom('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'ff-0-0-0')).map((value): Lines => [['traceparent', value]]),
  fc.oneof(latin1, fc.constantFrom('wait=60', 'respond-async, wait="60"', 'wait=0', 'wait=-1', 'wait=abc', 'respond-async', '"wait=60')).map((value): Lines => [['Prefer', value]]),
  fc.constantFrom('100-continue', '100-Continue', 'foo', '', '100-continue, foo').map((value): Lines => [['Expect', value]]),
  fc.constantFrom('https://app.example', 'null', 'https://evil.example', '*').map((value): Lines => [['Origin', value], ['Access-Control-Request-Method', 'POST']]),
  fc.tuple(fc.constantFrom('Accept', 'Accept-Encoding', 'Range', 'If-Match', 'Forwarded', 'X-Forwarded-For', 'X-HTTP-Method-Override', 'Cookie', 'TE', 'Via', 'Max-Forwards', 'Content-Language', 'Accept-Version', '__proto__', 'constructor'), latin1).map((line): Lines => [line])
)

export const headers: Arbitrary<Lines> = fc.oneof(
  { weight: 12, arbitrary: fc.array(known, { minLength: 1, maxLength: 4 }).map(lines => lines.flat()) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 30_000 }).map((length): Lines => [['X-Long', 'x'.repeat(length)]]) },
  // Above 2,000 Node drops the rest, if it is not told otherwise.
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 10, max: 2_500 }), known).map(([count, last]): Lines => [...Array.from({ length: count }, () => ['a', 'b'] as const), ...last]) }
)

/** Frames a body: by its length, or in chunks, seldom wrongly. */
export function aroundBody (body: string): Arbitrary<{ lines: Lines, bytes: string }> {
  const byLength = (value: string, bytes = body) => fc.constant({ lines: [['Content-Length', value]] as Lines, bytes })
  const chunked = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom('', ';a=b', ';a="b c"'), fc.constantFrom('', 'Trailer-Field: x\r\n'), fc.constantFrom('chunked', 'Chunked'))
    .map(([size, extension, trailer, coding]) => ({
      lines: [['Transfer-Encoding', coding]] as Lines,
      bytes: `${cut(body, size).map(chunk => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`).join('')}0\r\n${trailer}\r\n`
    }))
  return fc.oneof({ weight: 9, arbitrary: byLength(String(body.length)) }, { weight: 1, arbitrary: chunked })
}

function cut (text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size))
}
