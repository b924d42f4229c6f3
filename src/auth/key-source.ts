import { discoverKeySetUrl } from './discovery.js'
import type { PublishedKeys } from './published-keys.js'

/** Where keys are fetched from: the set itself, or an issuer that says where its set is. */
export type KeySource = { readonly jwksUrl: string } | { readonly issuer: string }

/** Longest wait for an answer of the issuer, in milliseconds. */
const FETCH_TIMEOUT_MS = 5_000

/**
 * A function that fetches the keys of a source. What an issuer said of its set holds until
 * that cannot be fetched; then it is asked anew, as the set may have moved.
 * @param timeoutMs longest wait for each answer, in milliseconds; default 5,000
 */
export function createLoader (source: KeySource, timeoutMs = FETCH_TIMEOUT_MS): () => Promise<PublishedKeys> {
  // Only now: a server with keys of its own starts sooner for not having a JOSE library.
  const fetchKeys = async (url: string) => await (await import('./published-keys.js')).fetchPublishedKeys(url, timeoutMs)
  if ('jwksUrl' in source) return async () => await fetchKeys(source.jwksUrl)
  let discovered: string | undefined
  return async () => {
    const url = discovered ?? await discoverKeySetUrl(source.issuer, timeoutMs)
    discovered = undefined
    const keys = await fetchKeys(url)
    discovered = url
    return keys
  }
}
