import { fetchText, type TextAnswer } from './fetch-text.js'

/** Where the metadata of an issuer may be: OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3. */
function metadataUrls (issuer: string): [oidc: string, oauth: string] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]
}

/**
 * Asks an issuer where its keys are.
 * @param timeoutMs longest time for each of at most two requests, in milliseconds
 * @returns its `jwks_uri`
 * @throws {Error} saying why its metadata cannot be had, or not be trusted
 */
export async function discoverKeySetUrl (issuer: string, timeoutMs: number): Promise<string> {
  const [oidc, oauth] = metadataUrls(issuer)
  let url = oidc
  let answer = await get(url, timeoutMs)
  if (answer.status === 404) {
    url = oauth
    answer = await get(url, timeoutMs)
  }
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`)
  const metadata = parse(answer.text)
  if (typeof metadata !== 'object' || metadata === null) throw new Error(`${url} is not a JSON object`)
  // Whoever can write the metadata of one issuer must not speak for another (RFC 8414, section 3.3).
  if (!('issuer' in metadata) || metadata.issuer !== issuer) throw new Error(`${url} is not of the issuer ${issuer}`)
  if (!('jwks_uri' in metadata) || !isKeySetUrl(metadata.jwks_uri, issuer)) throw new Error(`${url} has no jwks_uri that can be used`)
  return metadata.jwks_uri
}

async function get (url: string, timeoutMs: number): Promise<TextAnswer> {
  try {
    return await fetchText(url, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(timeoutMs) })
  } catch (cause) {
    throw new Error(`no answer of ${url}`, { cause })
  }
}

/** The value of a text in JSON; undefined: it is not in JSON. */
function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether keys may be fetched there: over TLS, unless the issuer itself is spoken to without. */
function isKeySetUrl (url: unknown, issuer: string): url is string {
  if (typeof url !== 'string' || !URL.canParse(url)) return false
  const { protocol } = new URL(url)
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))
}
