/** One answer, as RFC 9112 reads it. Every text is Latin-1. */
export interface Answer {
  readonly status: number
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** What was read from a connection. */
export interface Reading {
  readonly answers: readonly Answer[]
  /** What is left: the beginning of an answer, or what is none. */
  readonly rest: string
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/
const FIELD_LINE = /^([\w-]+): ([\x20-\x7e]*)$/

/**
 * Reads all answers that are there as a whole. Anything that is not written as a server of
 * HTTP/1.1 should is left as the rest, with all that follows.
 * @param methods of the requests, in their order: HEAD has answers without a body. Where one is not known, an
 * answer on which the next one follows at once is taken for one to HEAD
 */
export function readAnswers (bytes: string, methods: readonly string[]): Reading {
  const answers: Answer[] = []
  let rest = bytes
  for (;;) {
    const read = readAnswer(rest, methods[answers.length])
    if (read === undefined) return { answers, rest }
    rest = rest.slice(read.length)
    // 100 Continue is none yet.
    if (read.answer.status >= 200) answers.push(read.answer)
  }
}

function readAnswer (bytes: string, method: string | undefined): { answer: Answer, length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.slice(0, Math.max(headEnd, 0)).split('\r\n')
  const status = Number(STATUS_LINE.exec(first)?.[1])
  if (headEnd === -1 || Number.isNaN(status)) return undefined
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [match, name = '', value = ''] = FIELD_LINE.exec(line) ?? []
    if (match === undefined || headers.has(name.toLowerCase())) return undefined
    headers.set(name.toLowerCase(), value)
  }
  const bodyAt = headEnd + 4
  const isToHead = method === 'HEAD' || (method === undefined && bytes.startsWith('HTTP/1.1 ', bodyAt))
  const hasBody = status >= 200 && status !== 204 && status !== 304 && !isToHead
  const length = hasBody ? headers.get('content-length') : '0'
  if (length === undefined || !/^\d+$/.test(length) || bytes.length < bodyAt + Number(length)) return undefined
  const end = bodyAt + Number(length)
  return { answer: { status, headers, body: bytes.slice(bodyAt, end) }, length: end }
}
