import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { createCertificates, skipWithoutOpenssl } from '../helpers/certificates.js'
import { COMPLETE, faultsOf, readFrom } from '../helpers/config.js'
import { CERTIFICATE, generateEc, toPrivatePem } from '../helpers/keys.js'

const KEY = toPrivatePem(generateEc().privateKey)
const FILES = readFrom({ '/server.crt': CERTIFICATE, '/other.key': KEY, '/text': 'no PEM', '/key-in.crt': KEY })

t.test('takes a certificate of the server and its key', { skip: skipWithoutOpenssl }, async t => {
  const { path, read } = createCertificates(t)
  const { tls } = loadConfig({ ...COMPLETE, TLS_CERT_FILE: path('server.crt'), TLS_KEY_FILE: path('server.key') })
  t.strictSame(tls, { cert: read('server.crt'), key: read('server.key') })
})

t.test('does not start when the certificate of the server or its key is missing', async t => {
  const fault = 'TLS_CERT_FILE and TLS_KEY_FILE must be set together'
  t.strictSame(faultsOf({ ...COMPLETE, TLS_CERT_FILE: '/server.crt' }, FILES), [fault])
  t.strictSame(faultsOf({ ...COMPLETE, TLS_KEY_FILE: '/other.key' }, FILES), [fault])
})

t.test('does not start when a TLS file of the server cannot be read', async t => {
  t.strictSame(faultsOf({ ...COMPLETE, TLS_CERT_FILE: '/none.crt', TLS_KEY_FILE: '/none.key' }, FILES), [
    'TLS_CERT_FILE names a file that cannot be read',
    'TLS_KEY_FILE names a file that cannot be read'
  ])
})

t.test('does not start when a TLS file of the server is something else', async t => {
  for (const [cert, key] of [['/text', '/text'], ['/key-in.crt', '/server.crt']]) {
    t.strictSame(faultsOf({ ...COMPLETE, TLS_CERT_FILE: cert, TLS_KEY_FILE: key }, FILES), [
      'TLS_CERT_FILE has no certificate in PEM',
      'TLS_KEY_FILE has no private key in PEM that can be read without a passphrase'
    ])
  }
})

t.test('does not start when the key of the server is that of another certificate', async t => {
  t.strictSame(faultsOf({ ...COMPLETE, TLS_CERT_FILE: '/server.crt', TLS_KEY_FILE: '/other.key' }, FILES), [
    'TLS_KEY_FILE has a key that does not belong to the certificate in TLS_CERT_FILE'
  ])
})

t.test('takes proxies as addresses and CIDRs of both kinds', async t => {
  t.strictSame(loadConfig({ TRUST_PROXY: ' 10.0.0.0/8, 192.0.2.1 ,,2001:db8::/32,::1,127.0.0.1/32' }).trustedProxies,
    ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1', '127.0.0.1/32'])
})

t.test('does not start when TRUST_PROXY names anything but networks, or all of them', async t => {
  const fault = 'TRUST_PROXY must be addresses or CIDRs, comma-separated, e.g. 10.0.0.0/8,::1; a prefix of 0 would trust everybody'
  for (const text of [
    '1', 'true', 'loopback', 'proxy.example', '10.0.0.0/33', '2001:db8::/129', '0.0.0.0/0', '::/0', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/08',
    '10.0.0.0/255.0.0.0', '10.0.0/8', 'fe80::1%eth0', '10.0.0.0/8;::1', '10.0.0.0/8,1', '/8'
  ]) {
    t.strictSame(faultsOf({ TRUST_PROXY: text }), [fault], text)
  }
})
