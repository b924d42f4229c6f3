import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const isInstalled = spawnSync('openssl', ['version']).error === undefined

/** `skip` of a test that needs certificates: false where OpenSSL is installed, and in CI, where it must be. */
export const skipWithoutOpenssl = isInstalled || process.env.CI === 'true' ? false : 'OpenSSL is not installed'

/** A certificate authority, and certificates of it for a server on 127.0.0.1 and for a client. */
export function createCertificates (t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'messenger-certificates-'))
  t.teardown(() => { rmSync(dir, { recursive: true }) })
  const openssl = (...args: string[]) => { execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' }) }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=messenger test CA')
  writeFileSync(join(dir, 'san'), 'subjectAltName=IP:127.0.0.1')
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-out', `${name}.crt`, '-days', '2', '-extfile', 'san')
  }
  return {
    /** The path of one of `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`. */
    path: (name: string) => join(dir, name),
    read: (name: string) => readFileSync(join(dir, name), 'utf8')
  }
}
