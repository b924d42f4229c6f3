import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { isCallerGone } from '../caller-gone.js'
import type { Clock } from '../clock.js'
import { ProblemError } from '../errors.js'
import { fingerprintOf, nameRecord, readIdempotencyKey } from '../idempotency/key.js'
import { createMemoryStore } from '../idempotency/memory-store.js'
import { createRedisStore } from '../idempotency/redis-store.js'
import { shareClaims } from '../idempotency/share-claims.js'
import type { Claim, ClaimResult, IdempotencyStore, RecordedAnswer } from '../idempotency/store.js'
import { createKeyMetrics } from '../metrics/key-metrics.js'
import { isPublishable } from './authorization.js'
import type {} from './prefer.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Keeps retries with one `Idempotency-Key` from publishing twice. */
    idempotency: ReturnType<typeof createIdempotency>
  }
  interface FastifyRequest {
    /** Its `Idempotency-Key`, on the routes that honour one. */
    idempotencyKey: string | undefined
    /** This request's hold on its key, while it has one. */
    claim: Claim | null
    /** Whether its answer is one that was given before. */
    isReplay: boolean
  }
  interface FastifyContextConfig {
    /** The route honours `Idempotency-Key`. */
    idempotent?: boolean
  }
}

export interface IdempotencyOptions {
  /** How long an answer is kept, in seconds. */
  readonly ttlS: number
  /** Most records of a store in memory. */
  readonly maxRecords: number
  /** Longest time that a publish takes, in milliseconds: its wait for a slot and for the PUBACK. */
  readonly publishMs: number
  readonly clock: Clock
}

/** For all of a request beside its publish, in milliseconds: after that its process must have died. */
const MARGIN_MS = 5_000

/** Answers that are kept. A 406 is not: nothing was published, and a retry may succeed. */
const RECORDED_STATUSES = [200, 404, 504]

/**
 * Honours `Idempotency-Key` on the routes with `config.idempotent`, after everything that
 * may refuse a request and before its handler: the first request with a key goes on, and its
 * answer is recorded before it is sent; others are answered here and publish nothing.
 */
export default fp(async (fastify: FastifyInstance, options: IdempotencyOptions) => {
  const { redis, metrics } = fastify
  const { ttlS, maxRecords, clock } = options
  const ttlMs = ttlS * 1000
  const store = redis === undefined ? createMemoryStore({ ttlMs, maxRecords, clock }) : shareClaims(createRedisStore(redis, ttlMs))
  const idempotency = createIdempotency(store, options, fastify.log, metrics === undefined ? undefined : createKeyMetrics(metrics))
  fastify.decorate('idempotency', idempotency)
  fastify.decorateRequest('idempotencyKey', undefined)
  fastify.decorateRequest('claim', null)
  fastify.decorateRequest('isReplay', false)
  // Before Redis and the broker are left: what was published is to be recorded, also for a caller that has gone.
  fastify.addHook('onClose', async () => { await idempotency.whenIdle() })

  fastify.addHook('onRoute', route => {
    if (route.config?.idempotent !== true) return
    // A malformed key is told before a missing permission, and a permission is needed for a replay too.
    route.preHandler = [readKey, route.preHandler, claimKey].flat().filter(hook => hook !== undefined)
    route.onSend = [recordAnswer, ...[route.onSend ?? []].flat()]
  })

  // Callbacks, not promises: a request without a key pays next to nothing.
  function readKey (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
    const header = request.headers['idempotency-key']
    if (header !== undefined) {
      try {
        request.idempotencyKey = readIdempotencyKey(header)
      } catch (error) {
        done(error as Error)
        return
      }
    }
    done()
  }

  function claimKey (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    // A bulk of which nothing can be published is as a single command that was refused: it has no place among the keys.
    if (request.idempotencyKey === undefined || request.items?.every(item => !isPublishable(item)) === true) {
      done()
      return
    }
    idempotency.begin(request.idempotencyKey, request, reply).then(isFirst => { if (isFirst) done() }, done)
  }

  function recordAnswer (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: (error: Error | null, payload?: unknown) => void): void {
    if (request.claim === null) {
      done(null, payload)
      return
    }
    idempotency.end(request.claim, request, reply, String(payload)).then(() => { done(null, payload) }, done)
  }
}, { name: 'idempotency', dependencies: ['metrics', 'redis', 'mqtt', 'prefer', 'auth', 'authorization', 'limits', 'error-handler'] })

function createIdempotency (
  store: IdempotencyStore,
  { publishMs }: IdempotencyOptions,
  log: FastifyInstance['log'],
  counted: ReturnType<typeof createKeyMetrics> | undefined
) {
  const open = new Set<Claim>()
  let isUsable = true
  let onIdle = () => {}

  // What may still turn out otherwise, by publication. It goes when the publisher lets go of the publication.
  const unsettled = new WeakMap<object, Claim>()

  /**
   * Claims the key.
   * @returns whether this request is the first with it; otherwise it has been answered
   * @throws {ProblemError} where it must not go on and there is no answer to repeat
   */
  async function begin (key: string, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const { iss: issuer, sub: subject } = request.user
    const { waitS } = request
    const { items } = request
    const topics = items?.map(({ topic }) => topic) ?? request.topic
    // Of a command that is not valid, what is wrong with it: the schema has no bounds for what it refuses.
    const body = items === null ? request.body : { commands: items.map(({ command, imei, refusal }) => command ?? [imei, refusal?.message]) }
    const claim: Claim = {
      record: nameRecord({ issuer, subject, route: String(request.routeOptions.url), key }),
      nonce: randomUUID(),
      // With the topic: a caller with tokens of two tenants must not be told of one what became of the other's.
      // And with whether the device was to answer, however long that was waited for.
      fingerprint: fingerprintOf([topics, body, ...(waitS === undefined ? [] : ['wait'])]),
      // The last of many commands is handed over within the time that one takes.
      runsMs: (items === null ? publishMs : 2 * publishMs) + MARGIN_MS + (waitS ?? 0) * 1000,
      commands: items?.filter(isPublishable).length ?? 1
    }
    const result = await take(claim, request)
    if (result.kind === 'first') {
      request.claim = claim
      open.add(claim)
      // It may have asked again elsewhere, and been told there that nothing was sent.
      if (await isCallerGone(request)) throw new ProblemError('caller_gone')
      return true
    }
    if (result.kind !== 'recorded') throw refusalOf(result)
    request.isReplay = true
    replay(reply, result.answer)
    return false
  }

  async function take (claim: Claim, request: FastifyRequest): Promise<ClaimResult> {
    try {
      const result = await store.claim(claim)
      counted?.claimed(result.kind)
      if (!isUsable) log.info('the store of Idempotency-Keys answers again')
      isUsable = true
      return result
    } catch (error) {
      counted?.claimed('unavailable')
      // One line when the state changes, none for each request.
      if (isUsable) log.warn({ reqId: request.id, reason: String(error) }, 'cannot claim an Idempotency-Key; requests with one are answered 503')
      isUsable = false
      throw new ProblemError('idempotency_store_unavailable', { headers: { 'retry-after': '1' } })
    }
  }

  /** Records the answer that is about to be sent, or frees the key where nothing was published. */
  async function end (claim: Claim, request: FastifyRequest, reply: FastifyReply, body: string): Promise<void> {
    request.claim = null
    // A broker that knows of no subscriber may still pass it on by other ways.
    if (request.sent !== null && [404, 504].includes(reply.statusCode)) unsettled.set(request.sent.publication, claim)
    await settle(claim, {
      status: reply.statusCode,
      body,
      contentType: String(reply.getHeader('content-type')),
      proxyStatus: reply.getHeader('proxy-status')?.toString()
    })
    open.delete(claim)
    if (open.size === 0) onIdle()
  }

  /** Waits until every claim has its answer; publishes end by their deadlines. */
  function whenIdle (): Promise<void> {
    return open.size === 0 ? Promise.resolve() : new Promise(resolve => { onIdle = resolve })
  }

  /** Replaces what was recorded of a publication whose outcome became known after its answer. */
  async function amend (publication: object, answer: RecordedAnswer): Promise<void> {
    const claim = unsettled.get(publication)
    if (claim === undefined) return
    // A 504 may become another first, and a 200 after that: the PUBACK comes late, and the reply later still.
    if (answer.status !== 504) unsettled.delete(publication)
    await settle(claim, answer)
  }

  async function settle (claim: Claim, answer: RecordedAnswer): Promise<void> {
    try {
      if (RECORDED_STATUSES.includes(answer.status)) await store.finish(claim, answer)
      else await store.release(claim)
    } catch (error) {
      // The caller gets the true outcome. For repeats a recorded one stays unknown: 504. A key that was to be free is freed on the next connection.
      log.warn({ record: claim.record, status: answer.status, reason: String(error) }, 'cannot record the answer to an Idempotency-Key')
    }
  }

  return {
    begin,
    end,
    amend,
    /** Replaces what was recorded for a claim. */
    rewrite: settle,
    whenIdle
  }
}

function replay (reply: FastifyReply, { status, body, contentType, proxyStatus }: RecordedAnswer): void {
  if (proxyStatus !== undefined) reply.header('proxy-status', proxyStatus)
  reply.code(status).header('idempotency-replayed', 'true').type(contentType).send(body)
}

function refusalOf (result: Exclude<ClaimResult, { kind: 'first' | 'recorded' }>): ProblemError {
  switch (result.kind) {
    case 'running': return new ProblemError('idempotency_key_in_use', { headers: { 'retry-after': '1' } })
    case 'mismatch': return new ProblemError('idempotency_key_reused')
    case 'lost': return new ProblemError('delivery_unknown', { headers: { 'proxy-status': 'messenger; error=connection_terminated' } })
    case 'full': return new ProblemError('idempotency_store_full', {
      headers: { 'retry-after': String(Math.max(1, Math.ceil(result.retryAfterMs / 1000))) }
    })
  }
}
