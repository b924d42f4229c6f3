import rateLimit, { type RateLimitOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.js'
import { withinTime } from '../idempotency/time-limit.js'
import type { Window } from './windows.js'

/** Most callers, devices or addresses that one window counts in memory, each some 200 bytes. Above, the one not seen for longest starts anew. */
const MAX_KEYS = 100_000

/** What takes longer is counted here instead: a caller is waiting. In milliseconds. */
const REPLY_LIMIT_MS = 250

/** How long a Redis that failed is left alone, in milliseconds. */
const REDIS_PAUSE_MS = 1_000

/** What is counted: the request that it is made for included. */
export interface Count {
  readonly max: number
  readonly remaining: number
  /** Seconds until the window starts anew. At least 1. */
  readonly resetS: number
  readonly isExceeded: boolean
}

/** Counts a request. */
export type Counter = (request: FastifyRequest) => Promise<Count>

/** Names whom or what a request is counted for; undefined: the address of the caller, for IPv6 its /64. */
export type KeyOf = (request: FastifyRequest) => string

type CreateRateLimit = FastifyInstance['createRateLimit']

/** Makes counters that are kept by this process. */
export async function createLocalCounters (fastify: FastifyInstance): Promise<(window: Window, keyOf?: KeyOf) => Counter> {
  const createRateLimit = await registerLibrary(fastify)
  return (window, keyOf) => oneByOne(createCounter(createRateLimit, window, keyOf))
}

/**
 * The library's store in memory hands out the object that it counts in, which is read a moment later: of two
 * requests counted at once, both would find the count of the second, and the last one allowed be refused.
 */
function oneByOne (count: Counter): Counter {
  let last: Promise<unknown> = Promise.resolve()
  return request => {
    const counted = last.then(() => count(request))
    last = Promise.allSettled([counted])
    return counted
  }
}

/**
 * Makes counters that are kept by the Redis of all processes, and by this one while Redis does
 * not answer. Of the requests that come then, one at a time, and at most one in a second, looks
 * whether it answers again, and waits 250 ms at the longest: the others do not notice.
 */
export async function createSharedCounters (
  fastify: FastifyInstance,
  redis: NonNullable<FastifyInstance['redis']>,
  clock: Clock
): Promise<(window: Window, keyOf: KeyOf) => Counter> {
  const createRateLimit = await registerLibrary(fastify, redis)
  const createLocal = await createLocalCounters(fastify)
  let isUp = true
  let isProbing = false
  let pausedUntilMs = -Infinity

  function noteFailure (error: unknown): void {
    pausedUntilMs = clock.nowMs() + REDIS_PAUSE_MS
    // One line when the state changes, none for each request.
    if (isUp) fastify.log.warn({ reason: String(error) }, 'limits are counted per process while Redis does not answer')
    isUp = false
  }

  function noteAnswer (): void {
    fastify.log.info('limits are counted in Redis again')
    isUp = true
  }

  return (window, keyOf) => {
    const shared = createCounter(createRateLimit, window, keyOf)
    const local = createLocal(window, keyOf)
    return async request => {
      // What it throws is no failure of Redis.
      keyOf(request)
      if (!isUp && (isProbing || clock.nowMs() < pausedUntilMs)) return await local(request)
      const isProbe = !isUp
      if (isProbe) isProbing = true
      const answer = await withinTime(shared(request), REPLY_LIMIT_MS).then(count => ({ count }), (error: unknown) => ({ error }))
      if (isProbe) isProbing = false
      if ('count' in answer) {
        // Others may have asked before it failed: it is left alone for its pause all the same.
        if (isProbe) noteAnswer()
        return answer.count
      }
      noteFailure(answer.error)
      return await local(request)
    }
  }
}

/** The library holds one store, and takes a second registration for the same only in a scope of its own. */
async function registerLibrary (fastify: FastifyInstance, redis?: FastifyInstance['redis']): Promise<CreateRateLimit> {
  let limited = fastify
  // Waited for to its end: what is registered before that would be inside of it, with the first one's store.
  await fastify.register(async scope => {
    await scope.register(rateLimit, { global: false, nameSpace: 'messenger:limit:', redis })
    limited = scope
  })
  return limited.createRateLimit
}

function createCounter (createRateLimit: CreateRateLimit, { max, lengthMs }: Window, keyOf: KeyOf | undefined): Counter {
  const options: RateLimitOptions = {
    max,
    timeWindow: lengthMs,
    cache: MAX_KEYS,
    // The library names all its counters alike: without the length, two windows would be one in Redis.
    ...(keyOf !== undefined && { keyGenerator: request => `${lengthMs}:${keyOf(request)}` })
  }
  const count = createRateLimit(options)
  return async request => {
    // The other kind of answer is for those on an allow list, and there is none.
    const { remaining, ttlInSeconds, isExceeded } = await count(request) as Exclude<Awaited<ReturnType<typeof count>>, { isAllowed: true }>
    return { max, remaining, resetS: Math.max(1, ttlInSeconds), isExceeded }
  }
}
