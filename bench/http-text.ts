/** A POST as it is written to a socket. */
export function toRequest (url: URL, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ host: url.host, ...headers, 'content-length': Buffer.byteLength(body) }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

/** Whether this is all of a response. Those of the servers here have a Content-Length, and only ASCII. */
export function isWhole (text: string): boolean {
  const bodyAt = findBody(text)
  if (bodyAt < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
  return text.length >= bodyAt + Number(length)
}

/** The status of a response, as it is written. */
export function readStatus (text: string): string {
  return text.slice(9, 12)
}

/** The body of a whole response. */
export function readBody (text: string): string {
  return text.slice(findBody(text))
}

/** @returns where the body begins; -1 while that is not known */
function findBody (text: string): number {
  const headEnd = text.indexOf('\r\n\r\n')
  return headEnd < 0 ? -1 : headEnd + 4
}
