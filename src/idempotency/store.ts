/** An answer as it was first given, to be given again. */
export interface RecordedAnswer {
  readonly status: number
  /** As it was sent. */
  readonly body: string
  readonly contentType: string
  /** `Proxy-Status` (RFC 9209), where there was one. */
  readonly proxyStatus?: string | undefined
}

/** One request's hold on a key. */
export interface Claim {
  /** Name of the record: see `nameRecord`. */
  readonly record: string
  /** Told apart from every other request with this key. */
  readonly nonce: string
  /** What the request asks for: see `fingerprintOf`. */
  readonly fingerprint: string
  /** Longest time from the claim to its answer, in milliseconds. Later, its process must have died. */
  readonly runsMs: number
  /** Commands of the request: what is kept of its answer grows with them. */
  readonly commands: number
}

/** What a claim came to. Only `first` may publish. */
export type ClaimResult =
  /** Nobody has used the key: it is held for this request now. */
  | { readonly kind: 'first' }
  /** Another request with the key has not been answered yet. */
  | { readonly kind: 'running' }
  /** The key was used for something else. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'recorded', readonly answer: RecordedAnswer }
  /** The process that held the key died: whether it published is unknown. */
  | { readonly kind: 'lost' }
  /** There is no room for another record until one expires. */
  | { readonly kind: 'full', readonly retryAfterMs: number }

/**
 * Keeps what was answered to each key, for at least `IDEMPOTENCY_TTL_S` after the answer.
 * All three reject where the store does not answer; what they were to do may then be done or not.
 */
export interface IdempotencyStore {
  /** Takes hold of a key, at most one request at a time, or tells what became of it. */
  claim(claim: Claim): Promise<ClaimResult>
  /** Records the answer, also in place of one recorded before. Does nothing where the key is another claim's by now; one that the store has lost may be kept anew. */
  finish(claim: Claim, answer: RecordedAnswer): Promise<void>
  /** Forgets the key, so that a repeat publishes. Does nothing where it is not this claim's any more. */
  release(claim: Claim): Promise<void>
}
