import type { Redis } from 'ioredis'
import { CLAIM, FINISH, RELEASE } from './redis-scripts.js'
import type { ClaimResult, IdempotencyStore } from './store.js'
import { withinTime } from './time-limit.js'

/** Before the name of every record. */
const PREFIX = 'messenger:idempotency:'

/** What takes longer is given up: a caller is waiting. In milliseconds. */
const REPLY_LIMIT_MS = 250

/**
 * Keeps answers in Redis, for all processes that share it.
 * @param redis rejects what it cannot send at once
 * @param ttlMs how long an answer is kept, in milliseconds
 */
export function createRedisStore (redis: Redis, ttlMs: number): IdempotencyStore {
  const run = (script: string, record: string, ...parameters: Array<string | number>) =>
    withinTime(redis.eval(script, 1, PREFIX + record, ...parameters), REPLY_LIMIT_MS)

  const store: IdempotencyStore = {
    async claim (claim) {
      const { record, nonce, fingerprint, runsMs } = claim
      try {
        return toResult(await run(CLAIM, record, nonce, fingerprint, runsMs, ttlMs))
      } catch (error) {
        // It may have been done without our hearing of it. This one is sent after it on the same connection.
        store.release(claim).catch(() => {})
        throw error
      }
    },
    async finish ({ record, nonce, fingerprint }, { status, body, contentType, proxyStatus = '' }) {
      await run(FINISH, record, nonce, ttlMs, status, body, contentType, proxyStatus, fingerprint)
    },
    async release ({ record, nonce }) {
      await run(RELEASE, record, nonce)
    }
  }
  return store
}

/** What {@link CLAIM} says without an answer. */
const PLAIN = ['first', 'running', 'mismatch', 'lost'] as const

function toResult (reply: unknown): ClaimResult {
  const [kind, status, body = '', contentType = '', proxyStatus = ''] = reply as string[]
  const plain = PLAIN.find(name => name === kind)
  if (plain !== undefined) return { kind: plain }
  return { kind: 'recorded', answer: { status: Number(status), body, contentType, proxyStatus: proxyStatus === '' ? undefined : proxyStatus } }
}
