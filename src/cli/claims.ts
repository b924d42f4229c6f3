/**
 * Reads the values of `--claim KEY=VALUE`, the last of a name counting. JSON is taken as JSON, anything else as text.
 * @throws {Error} where one is not of that form
 */
export function parseClaims (claims: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(claims.map(parseClaim))
}

function parseClaim (claim: string): [string, unknown] {
  const [name = '', ...rest] = claim.split('=')
  if (name === '' || rest.length === 0) throw new Error(`--claim must be KEY=VALUE, not ${claim}`)
  const text = rest.join('=')
  try {
    return [name, JSON.parse(text)]
  } catch {
    return [name, text]
  }
}
