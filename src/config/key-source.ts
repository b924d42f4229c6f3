import type { KeySource } from '../auth/key-source.js'
import { isBareKey } from '../auth/keys.js'
import type { Env } from './env.js'
import type { Faults } from './faults.js'

/** The variables that say by which keys tokens are verified. One of them is set, or none for the demo. */
export const KEY_VARIABLES = ['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWT_JWKS_URL', 'OIDC_ISSUER'] as const

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/

/**
 * Says what a `JWT_PUBLIC_KEY` seems to be that is neither PEM nor a file to be read.
 * @returns a text for a fault, without what was pasted; undefined where it may well be a path
 */
export function explainNoPublicKey (text: string): string | undefined {
  if (/^\s*MII/.test(text) || isBareKey(text)) return 'looks like a key in bare base64: put it between its PEM lines, e.g. -----BEGIN PUBLIC KEY----- and -----END PUBLIC KEY-----'
  if (/^\s*[{[]/.test(text)) return 'looks like a JWK: set it to the same key as PEM'
  if (/^\s*https?:/i.test(text)) return 'looks like a URL: set JWT_JWKS_URL to it instead, if a key set is there'
  return undefined
}

/** Where the keys are to be fetched from; undefined: from nowhere. Checks that tokens are then bound to us. */
export function readKeySource (env: Env, faults: Faults): KeySource | undefined {
  const [first, ...others] = KEY_VARIABLES.filter(name => env[name] !== undefined)
  if (first !== undefined && others.length > 0) faults.add(first, `and ${others.join(' and ')} exclude each other`)
  // They are compared with those of tokens to the letter, and no token would ever fit.
  for (const name of ['OIDC_ISSUER', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const) {
    if (env[name] !== env[name]?.trim()) faults.add(name, 'must have no blanks around it')
  }
  const { JWT_JWKS_URL: jwksUrl, OIDC_ISSUER: oidcIssuer } = env
  if (jwksUrl !== undefined) {
    checkUrl('JWT_JWKS_URL', jwksUrl, env, faults)
    // The set is its issuer's, and its tokens are for whoever it serves: both have to be said.
    for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE'] as const) {
      if (env[name] === undefined) faults.add(name, 'is required with JWT_JWKS_URL')
    }
    return { jwksUrl }
  }
  if (oidcIssuer === undefined) return undefined
  checkUrl('OIDC_ISSUER', oidcIssuer, env, faults)
  if (/[?#]/.test(oidcIssuer)) faults.add('OIDC_ISSUER', 'must have no query and no fragment')
  if (/\/\.well-known(\/|\s*$)/.test(oidcIssuer)) faults.add('OIDC_ISSUER', 'must be the issuer itself, as in iss: without /.well-known/ and what follows it')
  if (env.JWT_ISSUER !== undefined && env.JWT_ISSUER !== oidcIssuer) faults.add('JWT_ISSUER', 'must be OIDC_ISSUER where that is set, or unset')
  if (env.JWT_AUDIENCE === undefined) faults.add('JWT_AUDIENCE', 'is required with OIDC_ISSUER')
  return { issuer: oidcIssuer }
}

/** Whoever can change keys on their way can make tokens: in production they come over TLS, or do not leave the machine. */
function checkUrl (name: 'JWT_JWKS_URL' | 'OIDC_ISSUER', text: string, env: Env, faults: Faults): void {
  const { protocol, hostname, username, password } = URL.canParse(text) ? new URL(text) : new URL('about:blank')
  if (!['https:', 'http:'].includes(protocol) || username !== '' || password !== '') faults.add(name, 'must be an https:// URL without credentials')
  else if (protocol === 'http:' && env.NODE_ENV === 'production' && !LOOPBACK.test(hostname)) faults.add(name, 'must be an https:// URL in production')
}
