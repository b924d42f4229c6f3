import { createHmac, createSign, type KeyObject } from 'node:crypto'

/** Signs the first two parts of a JWS; a string is taken as the third part itself. */
export type Signer = (input: string) => Buffer | string

const base64url = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A JWS of any header and payload, signed as told: for what no library would make. */
export function jws (header: unknown, payload: unknown, sign: Signer): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  const signature = sign(input)
  return `${input}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`
}

export const hmac = (hash: string, secret: string): Signer => input => createHmac(hash, secret).update(input).digest()

/** ECDSA in the form of JWS (RFC 7518, section 3.4), or in the DER that it forbids. */
export const ecdsa = (key: KeyObject, hash = 'sha256', dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363') =>
  (input: string): Buffer => createSign(hash).update(input).sign({ key, dsaEncoding })

export const rsassa = (key: KeyObject, hash = 'sha256') => (input: string): Buffer => createSign(hash).update(input).sign(key)
