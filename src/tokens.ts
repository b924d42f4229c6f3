import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'

/** What goes into a token for trying things out. */
export interface TokenOptions {
  readonly secret: string
  /** Lifetime, in seconds. */
  readonly expiresInS: number
  readonly claims: Readonly<Record<string, unknown>>
}

/** Signs an HS256 token, as the demo's issuer: real tokens come from an issuer that is not ours. */
export async function signToken ({ secret, expiresInS, claims }: TokenOptions): Promise<string> {
  const fastify = Fastify()
  await fastify.register(fastifyJwt, { namespace: 'demo', secret, sign: { algorithm: 'HS256', expiresIn: expiresInS } })
  return fastify.jwt.demo.sign(claims)
}
