/**
 * Reads the values of `--claim KEY=VALUE`, the last of a name counting.
 * @throws {Error} where one is not of that form
 */
export function parseClaims (claims: readonly string[]): Record<string, string> {
  return Object.fromEntries(claims.map(claim => {
    const [name = '', ...rest] = claim.split('=')
    if (name === '' || rest.length === 0) throw new Error(`--claim must be KEY=VALUE, not ${claim}`)
    return [name, rest.join('=')]
  }))
}

/**
 * Makes claims of a token of them: JSON is taken as JSON, anything else as text.
 * @param texts names of those that are texts whatever they look like, with or without quotes: a tenant may be called 42
 */
export function toClaims (claims: Readonly<Record<string, string>>, texts: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).map(([name, text]) => [name, texts.includes(name) ? asText(text) : fromText(text)]))
}

function asText (text: string): string {
  const value = fromText(text)
  return typeof value === 'string' ? value : text
}

function fromText (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
