import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'

declare module 'fastify' {
  interface FastifyInstance {
    /** The Redis that all processes share; undefined without `REDIS_URL`. */
    redis: Redis | undefined
  }
}

export interface RedisPluginOptions {
  /** `redis://` or `rediss://`; undefined: there is none. */
  readonly url: string | undefined
}

/** What takes longer is given up, in milliseconds. Who waits for it may be less patient. */
const COMMAND_TIMEOUT_MS = 1_000

/** A connection that answers nothing for so long is ended, in milliseconds: the other end may be gone without a word. */
const SOCKET_TIMEOUT_MS = 5_000

const CONNECT_TIMEOUT_MS = 2_000

/** Ceiling of the wait before a new attempt, in milliseconds. */
const LAST_BACKOFF_MS = 1_000

/**
 * Decorates `fastify.redis`. The server starts, and stays up, without Redis: only what
 * needs it fails, at once, and never later: nothing is queued or sent a second time.
 */
export default fp(async (fastify: FastifyInstance, { url }: RedisPluginOptions) => {
  const redis = url === undefined ? undefined : await connect(url)
  fastify.decorate('redis', redis)
  if (redis === undefined) return

  let isUp: boolean | undefined
  let cause = 'the connection was closed'
  redis.on('error', error => { cause = String(error) })
  redis.on('ready', () => {
    isUp = true
    fastify.log.info('connected to Redis')
    warnOfLosses(redis, fastify.log).catch(error => { fastify.log.warn({ reason: String(error) }, 'cannot read the settings of Redis') })
  })
  redis.on('close', () => {
    // One line when the state changes, none for each attempt.
    if (isUp !== false) fastify.log.warn({ reason: cause }, 'no connection to Redis; trying again until it answers')
    isUp = false
  })
  fastify.addHook('onClose', async () => {
    redis.removeAllListeners('close')
    redis.disconnect()
  })
}, { name: 'redis' })

/** Loads the client first: a server without Redis starts sooner for not having it. */
async function connect (url: string): Promise<Redis> {
  const { Redis } = await import('ioredis')
  return new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: attempts => Math.min(LAST_BACKOFF_MS, attempts * 50)
  })
}

/** Says what of Redis's settings can lose a record before its time. */
async function warnOfLosses (redis: Redis, log: FastifyInstance['log']): Promise<void> {
  const info = await redis.info()
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  if (policy !== 'noeviction') log.warn({ policy }, 'Redis may drop records before their time: set maxmemory-policy to noeviction')
  if (!/^aof_enabled:1/m.test(info)) log.warn('Redis forgets records when it stops: set appendonly to yes')
}
