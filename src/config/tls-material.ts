import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Faults } from './faults.js'

/** What one side of TLS is made of, each the text of a PEM file or undefined. */
export interface TlsMaterial {
  /** Whom it trusts. */
  readonly ca?: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

const CERTIFICATE_BLOCK = /-----BEGIN ((?:X509 )?CERTIFICATE)-----[\s\S]+?-----END \1-----/g

/**
 * Looks at start for what would otherwise only show at the broker, or at the first client, as a
 * connection that is never made: Node ignores authorities that it cannot read, and takes a key of
 * another certificate where the two are of different types. No fault shows anything of a key.
 * @param side how the variables begin that name the files: towards the broker, or of the server itself
 */
export function checkTlsMaterial (side: 'MQTT' | 'TLS', { ca, cert, key }: TlsMaterial, faults: Faults): void {
  if (ca !== undefined) faults.attempt(`${side}_CA_FILE`, () => readCertificates(ca))
  const certificate = cert === undefined ? undefined : faults.attempt(`${side}_CERT_FILE`, () => readCertificates(cert))
  const privateKey = key === undefined ? undefined : faults.attempt(`${side}_KEY_FILE`, () => readPrivateKey(key))
  if (certificate === undefined || privateKey === undefined) return
  if (certificate.checkPrivateKey(privateKey)) {
    // What OpenSSL still refuses is too weak for it.
    faults.attempt(`${side}_CERT_FILE`, () => createSecureContext({ cert, key }))
  } else {
    faults.add(`${side}_KEY_FILE`, `has a key that does not belong to the certificate in ${side}_CERT_FILE`)
  }
}

/**
 * Reads every certificate of a PEM text.
 * @returns the first: in a chain, that of the key
 * @throws {RangeError} where there is none, or one that cannot be read: it would be missing unnoticed, and all after it
 */
function readCertificates (pem: string): X509Certificate {
  const blocks = [...pem.matchAll(CERTIFICATE_BLOCK)].map(([block]) => block)
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new RangeError(`has a certificate that cannot be read: number ${index + 1} of ${blocks.length}`)
    }
  })
  if (pem.split('CERTIFICATE-----').length - 1 !== 2 * blocks.length) throw new RangeError('has a certificate that does not end')
  const [first] = certificates
  if (first === undefined) throw new RangeError('has no certificate in PEM')
  return first
}

function readPrivateKey (pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new RangeError('has no private key in PEM that can be read without a passphrase')
  }
}
