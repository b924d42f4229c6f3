import { createRemoteJWKSet, customFetch, errors, exportSPKI, type FetchImplementation, type RemoteJWKSet } from 'jose'
import { invalidToken } from './bearer.js'
import { fetchText, nameUrl } from './fetch-text.js'
import { readPublicKeys } from './keys.js'

/** What a token says of the key it is signed with. */
export type KeyName = {
  readonly alg: string
  readonly kid?: string
}

/** The keys that an issuer published at one time. They never change. */
export type PublishedKeys = Awaited<ReturnType<typeof fetchPublishedKeys>>

/**
 * Fetches a JSON Web Key Set (RFC 7517, section 5).
 * @param timeoutMs longest time until the whole answer is here, in milliseconds
 * @throws {Error} naming the URL, where there is no answer of 200 with such a set in at most 1 MiB
 */
export async function fetchPublishedKeys (url: string, timeoutMs: number) {
  // When to fetch is decided elsewhere, by our clock: this set is fetched once and then kept as it is.
  const set = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs, cacheMaxAge: Infinity, cooldownDuration: Infinity, [customFetch]: fetchSet
  })
  await set.reload().catch(cause => { throw new Error(`no keys from ${nameUrl(url)}`, { cause }) })
  const pems = new WeakMap<object, string | undefined>()

  /**
   * The key of this name, as SPKI in PEM; undefined: there is none, or it is not to be used for that. The
   * algorithm has to fit the key, and the `alg`, `use` and `key_ops` of its JWK (RFC 7517, section 4).
   * @throws {ProblemError} `invalid_token` (401) where several keys fit
   */
  async function find (name: KeyName): Promise<string | undefined> {
    const key = await choose(set, name)
    if (key === undefined) return undefined
    if (!pems.has(key)) pems.set(key, readStrongKey(await exportSPKI(key)))
    return pems.get(key)
  }

  return {
    find,
    /** What was published, to tell whether it has changed. */
    text: JSON.stringify(set.jwks())
  }
}

/** Fetches as `jose` does, but within bounds, and tells the status of a failure. */
const fetchSet: FetchImplementation = async (url, init) => {
  const { status, text } = await fetchText(url, init)
  if (status !== 200) throw new Error(`it answers ${status}`)
  return new Response(text)
}

/** The one key of a set that fits. One that cannot even be read fits nothing. */
async function choose (set: RemoteJWKSet, name: KeyName) {
  try {
    return await set(name)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return undefined
    // OpenID Connect Core, section 10.1: where there are several keys, a token has to name its own.
    if (name.kid === undefined) throw invalidToken('The access token does not say which key it is signed with')
    throw invalidToken('The issuer publishes several keys that fit the access token')
  }
}

/** A key, unless it is too weak to be used. */
function readStrongKey (pem: string): string | undefined {
  try {
    readPublicKeys(pem)
    return pem
  } catch {
    return undefined
  }
}
