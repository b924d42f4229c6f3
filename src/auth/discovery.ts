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
  let response = await get(oidc, timeoutMs)
  if (response.status === 404) {
    await response.body?.cancel()
    response = await get(oauth, timeoutMs)
  }
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`${response.url} answers ${response.status}`)
  }
  const metadata: unknown = await response.json()
  if (typeof metadata !== 'object' || metadata === null) throw new Error(`${response.url} is not a JSON object`)
  // Whoever can write the metadata of one issuer must not speak for another (RFC 8414, section 3.3).
  if (!('issuer' in metadata) || metadata.issuer !== issuer) throw new Error(`${response.url} is not of the issuer ${issuer}`)
  if (!('jwks_uri' in metadata) || !isKeySetUrl(metadata.jwks_uri, issuer)) throw new Error(`${response.url} has no jwks_uri that can be used`)
  return metadata.jwks_uri
}

async function get (url: string, timeoutMs: number): Promise<Response> {
  return await fetch(url, { redirect: 'manual', headers: { accept: 'application/json' }, signal: AbortSignal.timeout(timeoutMs) })
}

/** Whether keys may be fetched there: over TLS, unless the issuer itself is spoken to without. */
function isKeySetUrl (url: unknown, issuer: string): url is string {
  if (typeof url !== 'string' || !URL.canParse(url)) return false
  const { protocol } = new URL(url)
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))
}
