import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Claims } from '../auth/claims.js'
import { forEachAtMost } from '../at-most.js'
import type { Clock } from '../clock.js'
import { ProblemError } from '../errors.js'
import { createLocalCounters, createSharedCounters, type Count, type Counter } from '../limits/counters.js'
import type { Window } from '../limits/windows.js'
import { itemsOf } from './authorization.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts a request without a valid token.
     * @returns what is answered instead of the 401, after too many from one address
     */
    countFailedToken: (request: FastifyRequest, problem: ProblemError) => Promise<ProblemError>
  }
}

export interface LimitsOptions {
  /** For each `iss` and `sub`. Empty: no limit. */
  readonly caller: readonly Window[]
  /** For each topic. Empty: no limit. */
  readonly device: readonly Window[]
  readonly clock: Clock
}

/**
 * Requests without a valid token from one address, IPv6 by its /64. Carriers put thousands of
 * modems behind one address, whose tokens expire every hour: 1000 a minute is far above that.
 */
const FAILED_TOKENS: Window = { max: 1000, lengthMs: 60_000 }

/** Commands of one request that are counted at once: a thousand questions to Redis together would keep others waiting. */
const COUNTED_AT_ONCE = 100

/**
 * Limits how often a caller may send, and how often a device may be sent to, on the routes
 * with `config.command` and, for each command by itself, `config.bulk`: after everything that may refuse the request for what it is, before
 * its key is claimed. Without a limit there is nothing of it.
 *
 * Callers are counted first: whom that refuses does not use up what a device may be sent.
 */
export default fp(async (fastify: FastifyInstance, { caller, device, clock }: LimitsOptions) => {
  const createLocal = await createLocalCounters(fastify)
  const countFailure = createLocal(FAILED_TOKENS)
  fastify.decorate('countFailedToken', async (request, problem) => {
    // Of a caller that has gone, no address is known any more.
    if (request.socket.remoteAddress === undefined) return problem
    const { isExceeded, resetS } = await countFailure(request)
    if (!isExceeded) return problem
    return new ProblemError('rate_limited', {
      detail: 'Too many requests from this address had no valid token; nothing was published',
      // Why the token is not valid is still said.
      headers: { ...problem.headers, 'retry-after': String(resetS) }
    })
  })

  if (caller.length + device.length === 0) return
  const create = fastify.redis === undefined ? createLocal : await createSharedCounters(fastify, fastify.redis, clock)
  const names = new WeakMap<Claims, string>()
  const counters: ReadonlyArray<{ count: Counter, detail: string }> = [
    ...caller.map(window => ({ count: create(window, callerOf), detail: `A caller may send ${describe(window)}` })),
    ...device.map(window => ({ count: create(window, ({ topic }) => `device:${topic}`), detail: `A device may be sent ${describe(window)}` }))
  ]

  /** The same claims belong to many requests: they are hashed once. */
  function callerOf ({ user }: FastifyRequest): string {
    const known = names.get(user)
    if (known !== undefined) return known
    const hash = createHash('sha256').update(JSON.stringify([user.iss ?? null, user.sub])).digest('base64url')
    names.set(user, `caller:${hash}`)
    return `caller:${hash}`
  }

  /** Counts one command, and finds what is to be told of it. */
  async function count (request: FastifyRequest): Promise<{ told: Count, refusal?: ProblemError }> {
    let tightest = NO_LIMIT
    for (const counter of counters) {
      const counted = await counter.count(request)
      if (counted.isExceeded) {
        const refusal = new ProblemError('rate_limited', {
          detail: `${counter.detail}; nothing was published`, headers: { 'retry-after': String(counted.resetS) }
        })
        return { told: counted, refusal }
      }
      if (isTighter(counted, tightest)) tightest = counted
    }
    return { told: tightest }
  }

  async function limitCommand (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { told, refusal } = await count(request)
    reply.headers(headersOf(told))
    if (refusal !== undefined) throw refusal
  }

  /** Counts each command by itself; what was refused before is not counted. */
  async function limitItems (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { user, routeOptions } = request
    let tightest = NO_LIMIT
    await forEachAtMost(itemsOf(request).filter(({ topic }) => topic !== ''), COUNTED_AT_ONCE, async item => {
      // All that is looked at of a request, here and in the library.
      const { told, refusal } = await count({ user, topic: item.topic, routeOptions } as FastifyRequest)
      item.refusal = refusal
      if (isTighter(told, tightest)) tightest = told
    })
    if (tightest !== NO_LIMIT) reply.headers(headersOf(tightest))
  }

  fastify.addHook('onRoute', route => {
    if (route.config?.command !== true && route.config?.bulk !== true) return
    const limitAll = route.config.bulk === true ? limitItems : limitCommand
    const limit = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
      limitAll(request, reply).then(() => { done() }, done)
    }
    route.preHandler = [route.preHandler, limit].flat().filter(hook => hook !== undefined)
  })
}, { name: 'limits', dependencies: ['redis', 'auth', 'authorization', 'error-handler'] })

function describe ({ max, lengthMs }: Window): string {
  return `${max} command${max === 1 ? '' : 's'} in ${lengthMs / 1000} s`
}

/** What every limit is tighter than. */
const NO_LIMIT: Count = { max: Infinity, remaining: Infinity, resetS: 0, isExceeded: false }

/** Fewer left; of two with as many, the one that lasts longer. */
function isTighter (a: Count, b: Count): boolean {
  return a.remaining < b.remaining || (a.remaining === b.remaining && a.resetS > b.resetS)
}

/** As draft-ietf-httpapi-ratelimit-headers had them up to its version 06. */
function headersOf ({ max, remaining, resetS }: Count): Record<string, number> {
  return { 'ratelimit-limit': max, 'ratelimit-remaining': remaining, 'ratelimit-reset': resetS }
}
