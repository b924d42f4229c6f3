import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type {} from './mqtt.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Seconds, from its receipt, for which the caller wants to wait for the answer of the device; undefined: not at all. */
    readonly waitS: number | undefined
  }
  interface FastifyContextConfig {
    /** The route honours `Prefer: wait`. */
    waits?: boolean
  }
}

/** Longest wait, in seconds: a longer one is applied as this. */
const MAX_WAIT_S = 60

/**
 * Preferences are separated by commas, and a quoted text may have commas in it (RFC 7240, section 2).
 * One that is not ended goes to the end: this never looks at a character twice.
 */
const PREFERENCES = /(?:"(?:[^"\\]|\\.?)*(?:"|$)|[^",])+/g

/** The preference `wait` (RFC 7240, section 4.3), whatever its value. Names are case-insensitive. */
const WAIT = /^[ \t]*wait[ \t]*(?:[=;]|$)/i

/** One that can be understood: its value a token or in quotes, and parameters, of which it has none, passed over. */
const WAIT_SECONDS = /^[ \t]*wait[ \t]*=[ \t]*(?:(\d+)|"(\d+)")[ \t]*(?:;.*)?$/i

/**
 * Decorates `request.waitS`. It is found out where it is asked for: a request without the header pays nothing.
 * What cannot be honoured is ignored, as RFC 7240 asks, and the answer has no `Preference-Applied` then.
 */
export default fp(async (fastify: FastifyInstance) => {
  fastify.decorateRequest('waitS', {
    getter (this: FastifyRequest) {
      const { prefer } = this.headers
      if (prefer === undefined || !fastify.mqtt.canWait || this.routeOptions.config.waits !== true) return undefined
      return readWait(String(prefer))
    }
  })
}, { name: 'prefer', dependencies: ['mqtt'] })

/**
 * Reads how long a `Prefer` header asks to wait. Of several, the first one counts (RFC 7240, section 2).
 * @param header all `Prefer` headers, joined by commas
 * @returns whole seconds, 1-60; undefined where it does not ask, asks for less than 1, or cannot be understood
 */
export function readWait (header: string): number | undefined {
  const preference = header.match(PREFERENCES)?.find(item => WAIT.test(item))
  const [, bare, quoted] = WAIT_SECONDS.exec(preference ?? '') ?? []
  const seconds = Number(bare ?? quoted ?? 0)
  return seconds < 1 ? undefined : Math.min(seconds, MAX_WAIT_S)
}
