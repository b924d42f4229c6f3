import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Where commands are posted. */
export const PATH = '/messaging/send'

/** Devices that commands go to, unless a load asks for others. */
const DEVICES = 100

/** Longer than any run, in seconds. */
const TOKEN_LIFE_S = 24 * 3600

/** How tokens are signed. */
export type Algorithm = 'RS256' | 'HS256'

/** The documented body for each of so many devices, the documented device among the first hundred. */
export function createBodies (devices: number): readonly string[] {
  const rest = String(devices - 1).length
  return Array.from({ length: devices }, (_, index) => {
    const device = String((index + 37) % devices).padStart(rest, '0')
    return JSON.stringify({ imei: `${'26372637216372637126376237'.slice(0, -rest)}${device}`, micro_op: 'push_down' })
  })
}

/** The documented body for each of {@link DEVICES} devices. */
export const BODIES = createBodies(DEVICES)

/** What a caller has, and the key by which a server knows it. */
export interface Credentials {
  readonly algorithm: Algorithm
  /** The variable that tells a server the key: `JWT_PUBLIC_KEY` (SPKI, PEM) or `JWT_SECRET`. */
  readonly env: Readonly<Record<string, string>>
  readonly headers: Record<string, string>
  /** Makes an Authorization header of another caller. */
  authorizationOf(sub: string): string
}

/** A new key, RSA of 2048 bits or a secret of 256, and request headers with a token that it signs. */
export function createCredentials (algorithm: Algorithm = 'RS256'): Credentials {
  const { env, signText } = algorithm === 'RS256' ? createRsa() : createSecret()
  const nowS = Math.floor(Date.now() / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const authorizationOf = (sub: string): string => {
    const signed = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode({ sub, iat: nowS, exp: nowS + TOKEN_LIFE_S })}`
    return `Bearer ${signed}.${signText(signed)}`
  }
  return { algorithm, env, authorizationOf, headers: { authorization: authorizationOf('bench'), 'content-type': 'application/json' } }
}

function createRsa () {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    env: { JWT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    signText: (text: string) => sign('sha256', Buffer.from(text), privateKey).toString('base64url')
  }
}

function createSecret () {
  const secret = randomBytes(32).toString('base64url')
  return {
    env: { JWT_SECRET: secret },
    signText: (text: string) => createHmac('sha256', secret).update(text).digest('base64url')
  }
}
