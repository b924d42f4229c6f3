import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Which browsers may call. */
export interface CorsOptions {
  /** Origins, e.g. `https://hoppscotch.io`; `*` alone for any; empty for none. */
  readonly corsOrigins: readonly string[]
}

/** How long a browser may remember a preflight, in seconds: the most that Chromium honours. */
const MAX_AGE_S = 7_200

/** Lets pages of other origins call: Hoppscotch sends from the browser. */
export default fp(async (fastify: FastifyInstance, { corsOrigins }: CorsOptions) => {
  if (corsOrigins.length === 0) return
  await fastify.register(fastifyCors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'Prefer', 'X-Request-Id'],
    exposedHeaders: [
      'Accept-Encoding', 'Allow', 'Idempotency-Replayed', 'Preference-Applied', 'Proxy-Status', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'
    ],
    maxAge: MAX_AGE_S,
    // An OPTIONS that is no preflight would otherwise get a 400 that is not a problem document.
    strictPreflight: false
  })
}, { name: 'cors' })
