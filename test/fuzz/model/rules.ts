/** How the server under test is set up, as its operator and the model know it. */
export interface Rules {
  /** Secret of HS256 tokens. */
  readonly secret: string
  readonly issuer?: string
  readonly audience?: string
  /** Scope that a token must have. */
  readonly scope?: string
  /** The only operations taken. */
  readonly microOps?: readonly string[]
  /** Origin of the browser pages that may call; where there is one, every OPTIONS is answered 204. */
  readonly corsOrigin?: string
}

/** A server with everything that narrows who may send what. */
export const NARROW: Rules = {
  secret: 'a secret of the fuzz suite, of more than 32 bytes',
  issuer: 'https://issuer.example',
  audience: 'messenger',
  scope: 'messaging:send'
}

/** A server that takes any valid token, and calls from a browser. */
export const OPEN: Rules = {
  secret: NARROW.secret,
  corsOrigin: 'https://app.example'
}

/** The set-ups that a run can choose. */
export const PROFILES = { narrow: NARROW, open: OPEN } as const
export type ProfileName = keyof typeof PROFILES
export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[]

/** The same as environment variables. */
export function toEnv (rules: Rules): Record<string, string> {
  const { secret, issuer, audience, scope, microOps, corsOrigin } = rules
  return {
    JWT_SECRET: secret,
    ...(issuer !== undefined && { JWT_ISSUER: issuer }),
    ...(audience !== undefined && { JWT_AUDIENCE: audience }),
    ...(scope !== undefined && { JWT_SCOPE: scope }),
    ...(microOps !== undefined && { MICRO_OPS: microOps.join() }),
    ...(corsOrigin !== undefined && { CORS_ORIGIN: corsOrigin })
  }
}
