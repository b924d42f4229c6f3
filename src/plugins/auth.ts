import fastifyJwt from '@fastify/jwt'
import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { assertOneAuthorization, invalidToken } from '../auth/bearer.js'
import type { Claims } from '../auth/claims.js'
import { createKeySet, type KeySet, type TokenHeader } from '../auth/key-set.js'
import { createLoader, type KeySource } from '../auth/key-source.js'
import { PUBLIC_KEY_ALGORITHMS, type VerificationKey } from '../auth/keys.js'
import { createTokenCache } from '../auth/token-cache.js'
import type { Clock } from '../clock.js'
import { ProblemError } from '../errors.js'
import { asHook } from './as-hook.js'
import { DOCS_PATH } from './docs.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs no token. Every other route does. */
    public?: boolean
  }
}
declare module '@fastify/jwt' {
  interface FastifyJWT {
    /** `request.user`: the verified claims; null on public routes. */
    user: Claims
    /** One for each key: see {@link createVerifier}; one for all that are fetched. `demo` signs the tokens of the demo. */
    namespaces: `key${number}` | 'keySet' | 'demo'
  }
}

/** Who is let in. */
export interface AuthOptions {
  /** A token must be signed for one of them. At least one, unless there is a `keySource`. */
  readonly keys: readonly VerificationKey[]
  /** Where the keys are fetched from instead; undefined: from nowhere. */
  readonly keySource?: KeySource | undefined
  /** Longest wait for each answer of the key source, in milliseconds. Default 5,000. */
  readonly keyFetchTimeoutMs?: number | undefined
  /** `iss` that every token must have; undefined: any, or none. */
  readonly issuer?: string | undefined
  /** `aud` that every token must have, alone or among others; undefined: any, or none. */
  readonly audience?: string | undefined
  readonly clock: Clock
}

/** How far the clocks of issuer and messenger may be apart, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000

/** What is said of a token, by the code of the error it made. Anything else is just not valid. */
const REASONS = new Map([
  ['FAST_JWT_EXPIRED', 'The access token has expired'],
  ['FAST_JWT_INACTIVE', 'The access token is not valid yet'],
  ['FAST_JWT_INVALID_SIGNATURE', 'The signature of the access token is wrong'],
  ['FAST_JWT_VERIFY_ERROR', 'The signature of the access token is wrong'],
  ['FAST_JWT_INVALID_ALGORITHM', 'The access token is signed with an algorithm that is not accepted'],
  ['FAST_JWT_MALFORMED', 'The access token is not a JWT'],
  ['FAST_JWT_INVALID_PAYLOAD', 'The access token is not a JWT'],
  ['FAST_JWT_MISSING_SIGNATURE', 'The access token is not signed'],
  ['FAST_JWT_MISSING_REQUIRED_CLAIM', 'The access token lacks a claim that is required'],
  ['FAST_JWT_INVALID_CLAIM_VALUE', 'The access token has a claim with a value that is not accepted'],
  ['FAST_JWT_INVALID_CLAIM_TYPE', 'The access token has a claim of the wrong type']
])

/** What only says that a token was not signed for this key: it may have been for another. */
const WRONG_KEY = new Set(['FAST_JWT_INVALID_SIGNATURE', 'FAST_JWT_INVALID_ALGORITHM', 'FAST_JWT_VERIFY_ERROR'])

/**
 * Lets a request in only with a valid access token (RFC 6750), on every route but
 * those with `config.public` and those of the API reference: decided from the header alone, before a body is read.
 * Sets `request.user` to the claims, and the OpenAPI `security` of the routes.
 */
export default fp(async (fastify: FastifyInstance, options: AuthOptions) => {
  const { clock, keySource } = options
  const keySet = keySource === undefined ? undefined : startKeySet(fastify, options, keySource)
  const verify = keySet === undefined ? await createVerifier(fastify, options) : await createRemoteVerifier(fastify, options, keySet)
  const tokens = createTokenCache(verify, { keySet })

  /** @returns a promise only where the keys are fetched, for a token that is not remembered */
  function authenticate (request: FastifyRequest): Promise<void> | void {
    assertOneAuthorization(request.raw.rawHeaders)
    const claims = tokens.claimsOf(request.headers.authorization ?? '')
    if (claims instanceof Promise) return claims.then(verified => { admit(request, verified) })
    admit(request, claims)
  }

  function admit (request: FastifyRequest, claims: Claims): void {
    // It may be a remembered one.
    if (claims.exp * 1000 + CLOCK_TOLERANCE_MS < clock.wallMs()) throw invalidToken('The access token has expired')
    request.user = claims
  }

  fastify.addHook('onRoute', route => {
    // The routes of the API reference are not ours to configure.
    const isPublic = route.config?.public === true || route.prefix === DOCS_PATH
    route.schema = { ...route.schema, security: isPublic ? [] : [{ bearer: [] }] }
    if (isPublic) {
      // Also for the plugins that look after this one.
      route.config = { ...route.config, public: true }
      return
    }
    route.onRequest = [asHook(authenticate), ...[route.onRequest ?? []].flat()]
  })
}, { name: 'auth', dependencies: ['error-handler'] })

/**
 * One @fastify/jwt for each key, so that each is pinned to its own algorithms and
 * none can be talked into another's. Several keys serve a rotation: a token that
 * was not signed for one is tried with the next.
 */
async function createVerifier (fastify: FastifyInstance, options: AuthOptions): Promise<(token: string) => Claims> {
  for (const [index, { material, isSecret, algorithms }] of options.keys.entries()) {
    await fastify.register(fastifyJwt, {
      namespace: `key${index}`,
      secret: isSecret ? material : { public: material },
      verify: { algorithms, ...claimRules(options) }
    })
  }

  const jwts = Object.values(fastify.jwt)
  function verify (token: string): Claims {
    let code = 'FAST_JWT_INVALID_ALGORITHM'
    for (const jwt of jwts) {
      try {
        return jwt.verify(token)
      } catch (error) {
        // Whatever it is, also a RangeError for a date beyond all dates, it is the token's fault.
        const thrown = codeOf(error)
        if (!WRONG_KEY.has(thrown)) throw invalidToken(REASONS.get(thrown) ?? 'The access token is not valid')
        if (thrown !== 'FAST_JWT_INVALID_ALGORITHM') code = 'FAST_JWT_INVALID_SIGNATURE'
      }
    }
    throw invalidToken(String(REASONS.get(code)))
  }

  return token => accept(token, verify(token))
}

/**
 * The claims of a token whose signature is good, where the rest of it is: what the library does not look at.
 * @throws {ProblemError} `invalid_token` (401)
 */
function accept (token: string, claims: Claims): Claims {
  // Nothing critical is understood here, and a `crit` that says nothing is wrong too (RFC 7515, section 4.1.11).
  const [header = ''] = token.split('.')
  if ('crit' in JSON.parse(Buffer.from(header, 'base64url').toString())) throw invalidToken('The access token is not valid')
  if (typeof claims.sub !== 'string' || claims.sub === '') throw invalidToken('The sub of the access token names nobody')
  // RFC 7519, section 4.1.1: callers are told apart by it.
  if (claims.iss !== undefined && typeof claims.iss !== 'string') throw invalidToken('The iss of the access token is not a text')
  // A JSON number beyond all numbers, which would be valid for ever.
  if (!Number.isFinite(claims.exp)) throw invalidToken('The access token has a claim with a value that is not accepted')
  return claims
}

/** What every token must say, whatever its key. */
function claimRules ({ issuer, audience }: AuthOptions) {
  return {
    clockTolerance: CLOCK_TOLERANCE_MS,
    // Without this, `allowedIss` and `allowedAud` only look at tokens that have the claim.
    requiredClaims: ['exp', 'sub', ...(issuer === undefined ? [] : ['iss']), ...(audience === undefined ? [] : ['aud'])],
    ...(issuer !== undefined && { allowedIss: issuer }),
    ...(audience !== undefined && { allowedAud: audience })
  }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** The keys of a source. The server does not wait for them. */
function startKeySet (fastify: FastifyInstance, options: AuthOptions, source: KeySource): KeySet {
  const load = createLoader(source, options.keyFetchTimeoutMs)
  const keySet = createKeySet({ load, clock: options.clock, log: fastify.log })
  fastify.addHook('onClose', async () => { keySet.close() })
  return keySet
}

/**
 * One @fastify/jwt that asks the key set for the key of each token. Of the algorithms
 * of all keys it takes the one in the header only together with a key that is for it.
 */
async function createRemoteVerifier (fastify: FastifyInstance, options: AuthOptions, keySet: KeySet): Promise<(token: string) => Promise<Claims>> {
  await fastify.register(fastifyJwt, {
    namespace: 'keySet',
    secret: { public: async ({ header }: { header: TokenHeader }) => await keySet.find(header) },
    verify: { algorithms: [...PUBLIC_KEY_ALGORITHMS], ...claimRules(options) }
  })
  async function verify (token: string): Promise<Claims> {
    try {
      return await fastify.jwt.keySet.verify<Promise<Claims>>(token)
    } catch (error) {
      // fast-jwt wraps what the key set throws.
      if (error instanceof Error && 'originalError' in error && error.originalError instanceof ProblemError) throw error.originalError
      throw invalidToken(REASONS.get(codeOf(error)) ?? 'The access token is not valid')
    }
  }

  return async token => accept(token, await verify(token))
}
