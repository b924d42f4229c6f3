import { isIP } from 'node:net'
import type { Env } from './env.js'
import type { Faults } from './faults.js'
import { checkTlsMaterial } from './tls-material.js'

/** What a server shows its clients and proves with, both as PEM. */
export interface ServerTls {
  /** Its certificate, then the intermediate ones. */
  readonly cert: string
  /** The private key of that certificate. */
  readonly key: string
}

/**
 * Reads `TLS_CERT_FILE` and `TLS_KEY_FILE`, and tries them: a server whose key does not fit would
 * start, and fail at the first client.
 * @param readFile throws a text for a fault where there is nothing to read
 * @returns undefined where neither is set, or there is a fault
 */
export function readServerTls (env: Env, faults: Faults, readFile: (path: string) => string): ServerTls | undefined {
  const read = (name: 'TLS_CERT_FILE' | 'TLS_KEY_FILE') => {
    const path = env[name]
    return path === undefined ? undefined : faults.attempt(name, () => readFile(path))
  }
  if ((env.TLS_CERT_FILE === undefined) !== (env.TLS_KEY_FILE === undefined)) faults.add('TLS_CERT_FILE', 'and TLS_KEY_FILE must be set together')
  const [cert, key] = [read('TLS_CERT_FILE'), read('TLS_KEY_FILE')]
  checkTlsMaterial('TLS', { cert, key }, faults)
  return cert === undefined || key === undefined ? undefined : { cert, key }
}

/**
 * Reads `TRUST_PROXY`: whose `X-Forwarded-For` is believed. The number of hops, or `true`, is no
 * answer to that: whoever reaches the server past the proxy could then name any address.
 * @returns addresses and CIDRs; none where it is unset
 */
export function readTrustedProxies ({ TRUST_PROXY: text = '' }: Env, faults: Faults): string[] {
  const networks = text.split(',').map(item => item.trim()).filter(item => item !== '')
  if (!networks.every(isNetwork)) {
    faults.add('TRUST_PROXY', 'must be addresses or CIDRs, comma-separated, e.g. 10.0.0.0/8,::1; a prefix of 0 would trust everybody')
  }
  return networks
}

function isNetwork (text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  // A zone (fe80::1%eth0) is nothing that an address from a header could match.
  if (version === 0 || address.includes('%') || rest.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}
