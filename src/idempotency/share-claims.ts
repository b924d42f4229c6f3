import type { Claim, ClaimResult, IdempotencyStore } from './store.js'

/** A claim of this process that is being made, or that holds its key. */
interface Held {
  readonly claim: Claim
  readonly result: Promise<ClaimResult>
}

/**
 * Has the requests of this process that ask for the same at the same time make one claim:
 * a burst of repeats, which is what a caller in trouble sends, is one question to the store.
 */
export function shareClaims (store: IdempotencyStore): IdempotencyStore {
  const held = new Map<string, Held>()

  function letGo ({ record, nonce }: Claim): void {
    if (held.get(record)?.claim.nonce === nonce) held.delete(record)
  }

  async function make (claim: Claim): Promise<ClaimResult> {
    const result = store.claim(claim)
    held.set(claim.record, { claim, result })
    try {
      const { kind } = await result
      // Only the first holds the key, until it has its answer.
      if (kind !== 'first') letGo(claim)
    } catch {
      letGo(claim)
    }
    return await result
  }

  return {
    async claim (claim) {
      const other = held.get(claim.record)
      // What asks for something else may be told so, or may be the one that is right.
      if (other === undefined) return await make(claim)
      if (other.claim.fingerprint !== claim.fingerprint) return await store.claim(claim)
      const result = await other.result
      return result.kind === 'first' ? { kind: 'running' } : result
    },
    async finish (claim, answer) {
      await store.finish(claim, answer).finally(() => { letGo(claim) })
    },
    async release (claim) {
      await store.release(claim).finally(() => { letGo(claim) })
    }
  }
}
