import type { Clock } from '../clock.js'
import { createFifo, type Linked } from '../fifo.js'
import type { Claim, ClaimResult, IdempotencyStore, RecordedAnswer } from './store.js'

/** Limits of a store in memory. */
export interface MemoryStoreOptions {
  /** How long an answer is kept, in milliseconds. */
  readonly ttlMs: number
  /** Most keys at a time, counted by {@link weigh}. None is dropped for another: above it, claims find the store full. */
  readonly maxRecords: number
  readonly clock: Clock
}

interface Finished extends Linked<Finished> {
  readonly claim: Claim
  readonly answer: RecordedAnswer
  /** Monotonic milliseconds. */
  readonly expiresAtMs: number
  readonly weight: number
}

/** What one record is reckoned with, in characters of its body. */
const RECORD_CHARACTERS = 1_024

/** A key of many commands counts as many, and one with a long answer, such as the reply of a device, as its KiB. */
function weigh ({ commands }: Claim, { body }: RecordedAnswer): number {
  return Math.max(commands, Math.ceil(body.length / RECORD_CHARACTERS))
}

/** Keeps answers in this process alone, which forgets them when it ends. Never rejects. */
export function createMemoryStore ({ ttlMs, maxRecords, clock }: MemoryStoreOptions): IdempotencyStore {
  const running = new Map<string, Claim>()
  const finished = new Map<string, Finished>()
  // In the order of their expiry: each is added with the same time to live. To find its first member, a Map passes the places of all that were deleted.
  const expiries = createFifo<Finished>()
  let size = 0

  function dropExpired (): void {
    const nowMs = clock.nowMs()
    while (expiries.first !== undefined && expiries.first.expiresAtMs <= nowMs) forget(expiries.first.claim)
  }

  function firstExpiryMs (): number {
    return expiries.first === undefined ? 0 : expiries.first.expiresAtMs - clock.nowMs()
  }

  function take (claim: Claim): ClaimResult {
    dropExpired()
    const done = finished.get(claim.record)
    const held = done?.claim ?? running.get(claim.record)
    if (held !== undefined && held.fingerprint !== claim.fingerprint) return { kind: 'mismatch' }
    if (done !== undefined) return { kind: 'recorded', answer: done.answer }
    if (held !== undefined) return { kind: 'running' }
    if (size + claim.commands > maxRecords) return { kind: 'full', retryAfterMs: firstExpiryMs() }
    running.set(claim.record, claim)
    size += claim.commands
    return { kind: 'first' }
  }

  function isHeldBy ({ record, nonce }: Claim): boolean {
    return (running.get(record) ?? finished.get(record)?.claim)?.nonce === nonce
  }

  /** Takes out a claim that is held. */
  function forget ({ record, commands }: Claim): void {
    const done = finished.get(record)
    size -= done?.weight ?? commands
    running.delete(record)
    finished.delete(record)
    if (done !== undefined) expiries.remove(done)
  }

  return {
    async claim (claim) {
      return take(claim)
    },
    async finish (claim, answer) {
      if (!isHeldBy(claim)) return
      forget(claim)
      const weight = weigh(claim, answer)
      size += weight
      const done = { claim, answer, expiresAtMs: clock.nowMs() + ttlMs, weight, previous: undefined, next: undefined }
      finished.set(claim.record, done)
      expiries.push(done)
    },
    async release (claim) {
      if (isHeldBy(claim)) forget(claim)
    }
  }
}
