import { demoClaims } from '../banner.js'
import { loadConfig } from '../config/config.js'
import { DEMO_FILE, readDemoState } from '../demo.js'
import { withDotEnv } from '../dotenv.js'
import { signToken } from '../tokens.js'
import { toClaims } from './claims.js'

/** What a token is to be like. */
export interface OwnTokenOptions {
  /** Lifetime, in seconds. */
  readonly expiresInS: number
  /** Beside, or instead of, those that the configuration asks for. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** More of them, as a command line has them: see {@link toClaims}. */
  readonly claimTexts?: Readonly<Record<string, string>>
}

/**
 * Signs an access token for the messenger of this folder: with `JWT_SECRET` or, in demo mode, with the secret of the demo.
 * @throws {Error} saying why there can be none
 */
export async function signOwnToken ({ expiresInS, claims = {}, claimTexts = {} }: OwnTokenOptions): Promise<string> {
  const config = loadConfig(withDotEnv(process.env))
  const { keys: [key], keySource } = config.auth
  if (keySource !== undefined) throw new Error('OIDC_ISSUER or JWT_JWKS_URL is set: only that issuer has the private key that signs tokens')
  if (key?.isSecret === false) throw new Error('JWT_PUBLIC_KEY is set: only its issuer has the private key that signs tokens')
  const secret = key?.material ?? readDemoState().secret
  if (secret === undefined) throw new Error(`there is no secret yet: start the messenger once (npm start), which makes ${DEMO_FILE}`)
  return await signToken({ secret, expiresInS, claims: { ...demoClaims(config), ...claims, ...toClaims(claimTexts, config.mqtt.topic.claimNames) } })
}
