import { LRUCache } from 'lru-cache'
import { readBearerToken } from './bearer.js'
import type { Claims } from './claims.js'

/** Bounds of a {@link createTokenCache}. */
export interface TokenCacheOptions {
  /** Most tokens remembered. Default 10,000. */
  readonly maxTokens?: number
  /** Most characters of all of them together: tokens differ in length. Default 10,000,000. */
  readonly maxCharacters?: number
  /** A longer token is verified each time. Default 8,000 characters. */
  readonly maxTokenCharacters?: number
}

const PREFIX = 'Bearer '

/**
 * Remembers verified tokens, so that the signature of each is checked once. It does not know
 * when one expires: whoever asks looks at `exp`.
 * @param verify checks a token that is not remembered; what it throws is passed on, and nothing remembered
 */
export function createTokenCache (verify: (token: string) => Claims, options: TokenCacheOptions = {}) {
  const { maxTokens = 10_000, maxCharacters = 10_000_000, maxTokenCharacters = 8_000 } = options
  // By `Bearer <token>`, which is the whole header as nearly everybody writes it: that need not be taken apart.
  const verified = new LRUCache<string, Claims>({
    max: maxTokens,
    maxSize: maxCharacters,
    maxEntrySize: maxTokenCharacters,
    sizeCalculation: (_claims, header) => header.length - PREFIX.length
  })

  /** However else a header is written, its token has one entry: a caller must not fill the memory with one token. */
  function claimsOfToken (header: string): Claims {
    const known = verified.get(header)
    if (known !== undefined) return known
    const claims = verify(header.slice(PREFIX.length))
    verified.set(header, claims)
    return claims
  }

  return {
    /**
     * The claims of the token in an Authorization header.
     * @throws {ProblemError} where it has none, or what `verify` throws
     */
    claimsOf (authorization: string): Claims {
      return verified.get(authorization) ?? claimsOfToken(PREFIX + readBearerToken(authorization))
    },
    /** Tokens that are remembered. */
    get size () { return verified.size }
  }
}
