import { FIELD_LINE } from './http.js'

const SIZE_LINE = /^([0-9a-f]{1,7})((?:;[\w-]+(?:=(?:[\w-]+|"[\w -]*"))?)*)$/i

/** Reads a chunked body and its trailers (RFC 9112, section 7.1). */
export function readChunks (bytes: string, from: number): { body: string, endAt: number } | 'broken' | 'debatable' {
  let at = from
  let body = ''
  for (;;) {
    const line = readLine(bytes, at)
    if (line === undefined) return whatIsWrong(bytes.slice(at))
    const [match, digits = ''] = SIZE_LINE.exec(line) ?? []
    // Blanks around a size are forbidden, and yet known; extensions are known to be read loosely.
    if (match === undefined) return /^[0-9a-f]+[ \t]*(;|$)|^[ \t]*[0-9a-f]+/i.test(line) ? 'debatable' : whatIsWrong(line)
    at += line.length + 2
    const size = Number.parseInt(digits, 16)
    if (size === 0) return skipTrailers(bytes, at, body)
    body += bytes.slice(at, at + size)
    at += size
    if (bytes.slice(at, at + 2) !== '\r\n') return whatIsWrong(bytes.slice(at, at + 2))
    at += 2
  }
}

function skipTrailers (bytes: string, from: number, body: string): { body: string, endAt: number } | 'broken' | 'debatable' {
  for (let at = from; ;) {
    const line = readLine(bytes, at)
    if (line === undefined) return whatIsWrong(bytes.slice(at))
    at += line.length + 2
    if (line === '') return { body, endAt: at }
    if (!FIELD_LINE.test(line)) return 'debatable'
  }
}

function readLine (bytes: string, at: number): string | undefined {
  const endAt = bytes.indexOf('\r\n', at)
  return endAt === -1 ? undefined : bytes.slice(at, endAt)
}

/** A lone CR or LF may be taken for the end of a line. */
function whatIsWrong (text: string): 'broken' | 'debatable' {
  return /[\r\n]/.test(text) ? 'debatable' : 'broken'
}
