import type { Exchange, Finding } from './judge.js'

/** From this length on a piece of a header cannot be in a text by chance. */
const LEAST_CHARACTERS = 20

/** pino's level of an error. */
const ERROR_LEVEL = 50

/** Looks for errors in what the server wrote, and for tokens and the secret there and in all answers. */
export function judgeLog (log: { lines: string, errors: string }, exchanges: readonly Exchange[], authorizations: readonly string[], secret: string): Finding[] {
  const lines = log.lines.split('\n').filter(line => line !== '')
  const findings = lines.filter(isError).map(line => `the server says: ${line}`)
  if (log.errors !== '') findings.push(`the server says on stderr: ${log.errors}`)
  const answers = exchanges.flatMap(({ hearing }) => hearing.answers.map(({ headers, body }) => `${JSON.stringify([...headers])} ${body}`)).join('\n')
  // A whole header, its token, and the parts of that: the last one is what makes it valid.
  const secrets = new Set(authorizations.flatMap(header => [header, ...header.split(/[ .]/)]).filter(piece => piece.length >= LEAST_CHARACTERS && !isHeader(piece)))
  for (const piece of [...secrets, secret]) {
    for (const [place, text] of [['the log', log.lines], ['an answer', answers]] as const) {
      if (text.includes(piece)) findings.push(`${place} has a secret: ${piece.slice(0, LEAST_CHARACTERS)}...`)
    }
  }
  return findings.map(what => ({ what }))
}

/** Every token begins alike: `{"alg":"HS256"` is no secret. */
function isHeader (piece: string): boolean {
  return piece.startsWith('eyJhbGci')
}

function isError (line: string): boolean {
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'object' && entry !== null && 'level' in entry && Number(entry.level) >= ERROR_LEVEL
  } catch {
    return true
  }
}
