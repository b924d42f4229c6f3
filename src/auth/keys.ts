import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'

/** Those of the accepted algorithms that have a public key: what a key set may have keys for. */
export const PUBLIC_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** The signature algorithms accepted (RFC 7518, section 3.1; RFC 8037 for EdDSA). */
export type Algorithm = 'HS256' | typeof PUBLIC_KEY_ALGORITHMS[number]

/** A key that tokens may be signed with, and the only algorithms it may be used for. */
export interface VerificationKey {
  /** The shared secret, or the public key as SPKI in PEM. */
  readonly material: string
  readonly isSecret: boolean
  /** RFC 8725, section 3.1: the algorithm follows the key, never the token. */
  readonly algorithms: Algorithm[]
}

/** Shortest secret that HS256 may use, in bytes (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32

/** Shortest RSA modulus, in bits (RFC 7518, sections 3.3 and 3.5). */
const MIN_RSA_BITS = 2048

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g

/** What every JWK has (RFC 7517, section 4.1), at any depth of a JSON text, also of one within a JSON string. */
const JWK_MEMBER = /"kty\\*"\s*:/

/** How a public key or a certificate is read from DER. Each throws where it is none. */
const DER_READERS: ReadonlyArray<(key: Buffer) => unknown> = [
  key => createPublicKey({ key, format: 'der', type: 'spki' }),
  key => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
  key => new X509Certificate(key)
]

const CURVE_ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512'
}

/**
 * A shared secret for HS256.
 * @throws {RangeError} where it is really a public key: anyone who knows that could then sign tokens
 */
export function createSecretKey (secret: string): VerificationKey {
  // Keys are handed around in base64 too, where an environment cannot have line ends.
  for (const text of [secret, Buffer.from(secret, 'base64').toString('latin1')]) {
    if (text.includes('-----BEGIN ')) throw new RangeError('is a PEM key: set JWT_PUBLIC_KEY to it instead')
    if (JWK_MEMBER.test(text)) throw new RangeError('is a JWK, not a secret')
  }
  if (isBareKey(secret)) throw new RangeError('is a public key without its PEM lines: set JWT_PUBLIC_KEY to it, with them, instead')
  return { material: secret, isSecret: true, algorithms: ['HS256'] }
}

/** Whether a text is a public key or a certificate in base64, as between the lines of a PEM. */
export function isBareKey (text: string): boolean {
  const der = Buffer.from(text.replaceAll('\\n', ''), 'base64')
  return DER_READERS.some(read => {
    try {
      read(der)
      return true
    } catch {
      return false
    }
  })
}

/**
 * Reads every public key or certificate of a PEM text, in its order.
 * @throws {RangeError} saying what is wrong with which block
 */
export function readPublicKeys (pem: string): VerificationKey[] {
  const blocks = [...pem.matchAll(PEM_BLOCK)]
  if (blocks.length === 0) throw new RangeError('has no PEM block')
  // A block without its end would be a key that is silently missing, in the middle of a rotation.
  if (pem.split('-----BEGIN ').length - 1 !== blocks.length) throw new RangeError('has a PEM block that does not end')
  return blocks.map(([block, label], index) => {
    const fault = (text: string) => new RangeError(`has a fault in PEM block ${index + 1}: ${text}`)
    // Node would derive the public key from it; but a verifier has no business with a private key.
    if (label?.includes('PRIVATE')) throw fault('it is a private key, and only the public one is needed here')
    let key: KeyObject
    try {
      key = createPublicKey(block)
    } catch {
      throw fault('it cannot be read as a public key or certificate')
    }
    const algorithms = algorithmsOf(key)
    if (typeof algorithms === 'string') throw fault(algorithms)
    return { material: key.export({ type: 'spki', format: 'pem' }).toString(), isSecret: false, algorithms }
  })
}

/** The algorithms a key may be used for, or why it may not be used at all. */
function algorithmsOf (key: KeyObject): Algorithm[] | string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519') return ['EdDSA']
  if (type === 'rsa') {
    const bits = Number(details?.modulusLength)
    return bits >= MIN_RSA_BITS ? ['RS256', 'PS256'] : `it has ${bits} bits; RSA needs at least ${MIN_RSA_BITS}`
  }
  if (type === 'ec') {
    const algorithm = CURVE_ALGORITHMS[String(details?.namedCurve)]
    return algorithm !== undefined ? [algorithm] : `the curve ${details?.namedCurve} is not P-256, P-384 or P-521`
  }
  return `the type ${type} is not RSA, EC or Ed25519`
}
