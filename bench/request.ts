import { generateKeyPairSync, sign } from 'node:crypto'

/** Where commands are posted. */
export const PATH = '/messaging/send'

/** Devices that commands go to. */
const DEVICES = 100

/** Longer than any run, in seconds. */
const TOKEN_LIFE_S = 24 * 3600

/** The documented body for each of {@link DEVICES} devices, the documented device among them. */
export const BODIES: readonly string[] = Array.from({ length: DEVICES }, (_, index) =>
  JSON.stringify({ imei: `263726372163726371263762${String((index + 37) % DEVICES).padStart(2, '0')}`, micro_op: 'push_down' }))

/** What a caller has, and the key by which a server knows it. */
export interface Credentials {
  /** SPKI, PEM. */
  readonly publicKey: string
  readonly headers: Record<string, string>
}

/** A new RSA key of 2048 bits, and request headers with a token that it signs (RS256). */
export function createCredentials (): Credentials {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const nowS = Math.floor(Date.now() / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode({ sub: 'bench', iat: nowS, exp: nowS + TOKEN_LIFE_S })}`
  const signature = sign('sha256', Buffer.from(signed), privateKey).toString('base64url')
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    headers: { authorization: `Bearer ${signed}.${signature}`, 'content-type': 'application/json' }
  }
}
