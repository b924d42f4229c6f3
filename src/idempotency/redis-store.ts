import type { Redis } from 'ioredis'
import { CLAIM, FINISH, RELEASE } from './redis-scripts.js'
import type { Claim, ClaimResult, IdempotencyStore } from './store.js'
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
  const run = (script: string, record: string, ...parameters: Array<string | number>) => redis.eval(script, 1, PREFIX + record, ...parameters)

  /**
   * Claims that published nothing and whose key Redis has not said to be free, in the order in which it was told: told again on the
   * next connection, as otherwise they would be unknown to everybody else.
   */
  const unfreed = new Set<Claim>()
  redis.on('ready', () => {
    for (const claim of unfreed) free(claim).catch(() => {})
  })

  async function free (claim: Claim): Promise<void> {
    unfreed.add(claim)
    try {
      await run(RELEASE, claim.record, claim.nonce)
    } catch (error) {
      if (isRefusal(error)) forgetUpTo(claim)
      throw error
    }
    forgetUpTo(claim)
  }

  /**
   * Redis answers in order: what it was told before is done, too, also where that answer came too late to be heard. A claim that
   * was told twice, about when a connection came to be, is gone the second time: what was told after it may not be done.
   */
  function forgetUpTo (claim: Claim): void {
    const told = [...unfreed]
    for (const earlier of told.slice(0, told.indexOf(claim) + 1)) unfreed.delete(earlier)
  }

  return {
    async claim (claim) {
      const { record, nonce, fingerprint, runsMs } = claim
      const isSent = redis.status === 'ready'
      try {
        return toResult(await withinTime(run(CLAIM, record, nonce, fingerprint, runsMs, ttlMs), REPLY_LIMIT_MS))
      } catch (error) {
        // It may have been done without our hearing of it. This is sent after it: on the same connection, or on the next.
        if (isSent) free(claim).catch(() => {})
        throw error
      }
    },
    async finish ({ record, nonce, fingerprint }, { status, body, contentType, proxyStatus = '' }) {
      await withinTime(run(FINISH, record, nonce, ttlMs, status, body, contentType, proxyStatus, fingerprint), REPLY_LIMIT_MS)
    },
    async release (claim) {
      await withinTime(free(claim), REPLY_LIMIT_MS)
    }
  }
}

/** Whether Redis itself refused it. */
function isRefusal (error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

/** What {@link CLAIM} says without an answer. */
const PLAIN = ['first', 'running', 'mismatch', 'lost'] as const

function toResult (reply: unknown): ClaimResult {
  const [kind, status, body = '', contentType = '', proxyStatus = ''] = reply as string[]
  const plain = PLAIN.find(name => name === kind)
  if (plain !== undefined) return { kind: plain }
  return { kind: 'recorded', answer: { status: Number(status), body, contentType, proxyStatus: proxyStatus === '' ? undefined : proxyStatus } }
}
