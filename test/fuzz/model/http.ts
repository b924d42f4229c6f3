import { METHODS } from 'node:http'
import { readChunks } from './chunks.js'

/** One line of a head, its name in lower case, its value without the blanks around it. */
export interface Header {
  readonly name: string
  readonly value: string
}

/** A request as RFC 9112 reads it. Every text is Latin-1: one character for each byte. */
export interface Request {
  readonly method: string
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly headers: readonly Header[]
  /** Undefined where it is broken, or ends too early. */
  readonly body: string | undefined
}

/**
 * What comes after the last request of {@link Stream}: nothing; something that is no request and
 * never can be one; something on which parsers may differ. What follows a request that closes its
 * connection is `broken` too: it must not be looked at (RFC 9112, section 9.6).
 */
export type End = 'clean' | 'broken' | 'debatable'

/** What was written on one connection. */
export interface Stream {
  readonly requests: readonly Request[]
  readonly end: End
}

/** Characters of a method and of a field name (RFC 9110, section 5.6.2). */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e]+) HTTP/(\\d\\.\\d)$`)

export const FIELD_LINE = new RegExp(`^(${TOKEN}):[ \\t]*([^\\0-\\x08\\x0a-\\x1f\\x7f]*?)[ \\t]*$`)

/** Node counts the target, the names and the values, and takes so many bytes; near that, who knows. */
const HEAD_BYTES = 16_384
const HEAD_SLACK = 512

/**
 * Reads requests from the bytes of a connection. It is strict: what it calls a request, every server
 * has to understand, and what it calls `broken`, none may. The rest is `debatable`.
 */
export function readStream (bytes: string): Stream {
  const requests: Request[] = []
  let at = 0
  for (;;) {
    // Empty lines before a request are passed over (RFC 9112, section 2.2); half of one may be none.
    while (bytes.startsWith('\r\n', at) || bytes[at] === '\n') at += bytes[at] === '\n' ? 1 : 2
    if (at === bytes.length) return { requests, end: 'clean' }
    if (bytes[at] === '\r') return { requests, end: 'debatable' }
    const head = readHead(bytes, at)
    if (typeof head === 'string') return { requests, end: head }
    const framed = readBody(bytes, head.bodyAt, head.request)
    if (framed === 'debatable') return { requests, end: 'debatable' }
    if (framed === 'broken') return { requests: [...requests, { ...head.request, body: undefined }], end: 'broken' }
    requests.push({ ...head.request, body: framed.body })
    at = framed.endAt
    if (head.closes !== 'no' && /[^\r\n]/.test(bytes.slice(at))) return { requests, end: head.closes === 'yes' ? 'broken' : 'debatable' }
  }
}

function readHead (bytes: string, at: number) {
  const endAt = bytes.indexOf('\r\n\r\n', at)
  const head = endAt === -1 ? bytes.slice(at) : bytes.slice(at, endAt)
  // A line that ends in LF or CR alone may be taken for one, or not (RFC 9112, section 2.2).
  if (/[^\r]\n|\r[^\n]/.test(head)) return 'debatable'
  if (endAt === -1) return 'broken'
  const [first = '', ...lines] = head.split('\r\n')
  const match = REQUEST_LINE.exec(first)
  const [, method = '', target = '', version = ''] = match ?? []
  if (match === null) return 'debatable'
  if (!METHODS.includes(method)) return 'broken'
  if (version !== '1.0' && version !== '1.1') return 'debatable'
  if (method === 'CONNECT' || !/^(\/|\*$|https?:\/\/[^/])/i.test(target)) return 'debatable'

  const headers: Header[] = []
  for (const line of lines) {
    const field = FIELD_LINE.exec(line)
    // Folded lines are obsolete; a server may take them or not (RFC 9112, section 5.2).
    if (field === null) return /^[ \t]/.test(line) ? 'debatable' : 'broken'
    // A tab is a blank like any other (RFC 9110, section 5.6.3), yet parsers are wary of one where a body is framed.
    if (/^(content-length|transfer-encoding):.*\t/i.test(line)) return 'debatable'
    headers.push({ name: String(field[1]).toLowerCase(), value: String(field[2]) })
  }
  const size = headers.reduce((sum, { name, value }) => sum + name.length + value.length, target.length)
  if (Math.abs(size - HEAD_BYTES) < HEAD_SLACK) return 'debatable'
  if (size > HEAD_BYTES) return 'broken'
  return { request: { method, target, version, headers } as const, bodyAt: endAt + 4, closes: closesOf(version, headers) }
}

/** The values of a header. */
export function valuesOf ({ headers }: Pick<Request, 'headers'>, name: string): string[] {
  return headers.filter(header => header.name === name).map(({ value }) => value)
}

/** Whether the connection ends after a request. */
function closesOf (version: string, headers: readonly Header[]): 'yes' | 'no' | 'perhaps' {
  const options = valuesOf({ headers }, 'connection').flatMap(value => value.split(',')).map(option => option.trim().toLowerCase())
  if (options.includes('upgrade') || options.length > 1) return 'perhaps'
  if (options.includes('close')) return 'yes'
  return version === '1.0' && !options.includes('keep-alive') ? 'yes' : 'no'
}

/** Takes the body by the rules of RFC 9112, section 6.3. */
function readBody (bytes: string, at: number, request: Omit<Request, 'body'>): { body: string, endAt: number } | 'broken' | 'debatable' {
  const codings = valuesOf(request, 'transfer-encoding')
  const lengths = valuesOf(request, 'content-length')
  if (codings.length > 0) {
    if (lengths.length > 0) return 'broken'
    if (codings.length > 1 || request.version === '1.0' || codings[0]?.toLowerCase() !== 'chunked') return 'debatable'
    return readChunks(bytes, at)
  }
  const [length = '0', ...others] = lengths
  if (others.some(other => other !== length)) return 'broken'
  if (others.length > 0) return 'debatable'
  if (!/^\d+$/.test(length)) return 'broken'
  const endAt = at + Number(length)
  return endAt > bytes.length ? 'broken' : { body: bytes.slice(at, endAt), endAt }
}
