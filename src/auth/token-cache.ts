import { LRUCache } from 'lru-cache'
import { readBearerToken } from './bearer.js'
import type { Claims } from './claims.js'

/** Keys that change: see `KeySet`. */
interface ChangingKeys {
  /** Whether they need not be fetched anew. */
  isTrusted(): boolean
  /** Something that is the same as long as they are. */
  current(): unknown
}

/** Bounds of a {@link createTokenCache}. */
export interface TokenCacheOptions {
  /** The keys that `verify` uses, where they are fetched. Default: they stay as they are. */
  readonly keySet?: ChangingKeys | undefined
  /** Most tokens remembered. Default 10,000. */
  readonly maxTokens?: number
  /** Most characters of all of them together: tokens differ in length. Default 10,000,000. */
  readonly maxCharacters?: number
  /** A longer token is verified each time. Default 8,000 characters. */
  readonly maxTokenCharacters?: number
}

const PREFIX = 'Bearer '

/**
 * A token is looked up by its last characters, and then compared as a whole: to look it up by all of
 * them, a number has to be made of each. They are of its signature, so no two valid tokens share them.
 */
const TAIL_CHARACTERS = 64

interface Verified {
  /** `Bearer <token>`, which is the whole header as nearly everybody writes it: that need not be taken apart. */
  readonly header: string
  readonly claims: Claims
}

/**
 * Remembers verified tokens, so that the signature of each is checked once; but none for longer
 * than the keys are trusted that it was verified with. It does not know when a token expires:
 * whoever asks looks at `exp`.
 * @param verify checks a token that is not remembered; what it throws is passed on, and nothing remembered
 */
export function createTokenCache (verify: (token: string) => Claims | Promise<Claims>, options: TokenCacheOptions = {}) {
  const { keySet, maxTokens = 10_000, maxCharacters = 10_000_000, maxTokenCharacters = 8_000 } = options
  const verified = new LRUCache<string, Verified>({
    max: maxTokens,
    maxSize: maxCharacters,
    maxEntrySize: maxTokenCharacters,
    sizeCalculation: ({ header }) => header.length - PREFIX.length
  })

  let keys = keySet?.current()

  function recall (header: string): Claims | undefined {
    if (keySet !== undefined) {
      // They have to be fetched anew first, and may then be others.
      if (!keySet.isTrusted()) return undefined
      if (keySet.current() !== keys) {
        keys = keySet.current()
        verified.clear()
      }
    }
    const known = verified.get(header.slice(-TAIL_CHARACTERS))
    return known?.header === header ? known.claims : undefined
  }

  function remember (header: string, claims: Claims): void {
    verified.set(header.slice(-TAIL_CHARACTERS), { header, claims })
  }

  /** However a header is written, its token is looked up as one text: a caller must not fill the memory with blanks. */
  function claimsOfToken (header: string): Claims | Promise<Claims> {
    return recall(header) ?? verifyAnew(header)
  }

  function verifyAnew (header: string): Claims | Promise<Claims> {
    const keysBefore = keySet?.current()
    const claims = verify(header.slice(PREFIX.length))
    if (claims instanceof Promise) {
      return claims.then(fresh => {
        // Otherwise it may have been verified with keys that are gone by now.
        if (keySet?.current() === keysBefore) remember(header, fresh)
        return fresh
      })
    }
    remember(header, claims)
    return claims
  }

  return {
    /**
     * The claims of the token in an Authorization header: a promise only where `verify` makes one.
     * @throws {ProblemError} where it has none, or what `verify` throws
     */
    claimsOf (authorization: string): Claims | Promise<Claims> {
      return recall(authorization) ?? claimsOfToken(PREFIX + readBearerToken(authorization))
    },
    /** Tokens that are remembered. */
    get size () { return verified.size }
  }
}
