import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { faultsOf, readFrom } from '../helpers/config.js'
import { generateEc, generateEd25519, generateRsa, toPem, toPrivatePem } from '../helpers/keys.js'

const ec = toPem(generateEc().publicKey)
const ed25519 = toPem(generateEd25519().publicKey)
const rsa = toPem(generateRsa().publicKey)
const EC = { material: ec, isSecret: false, algorithms: ['ES256'] }
const ED25519 = { material: ed25519, isSecret: false, algorithms: ['EdDSA'] }
const RSA = { material: rsa, isSecret: false, algorithms: ['RS256', 'PS256'] }

function readNothing (): never {
  throw new Error('nothing may be read here')
}

t.test('takes JWT_SECRET as the secret of HS256 tokens', async t => {
  t.strictSame(loadConfig({ JWT_SECRET: 's3cret' }, readNothing).auth.keys, [{ material: 's3cret', isSecret: true, algorithms: ['HS256'] }])
})

t.test('takes JWT_PUBLIC_KEY as PEM text', async t => {
  t.strictSame(loadConfig({ JWT_PUBLIC_KEY: rsa }, readNothing).auth.keys, [RSA])
})

t.test('takes JWT_PUBLIC_KEY as PEM text on one line, with \\n for its line ends', async t => {
  t.strictSame(loadConfig({ JWT_PUBLIC_KEY: ec.replaceAll('\n', '\\n') }, readNothing).auth.keys, [EC])
})

t.test('takes JWT_PUBLIC_KEY as the path of a PEM file', async t => {
  t.strictSame(loadConfig({ JWT_PUBLIC_KEY: '/keys/issuer.pem' }, readFrom({ '/keys/issuer.pem': ed25519 })).auth.keys, [ED25519])
})

t.test('takes several keys in their order, from the variable and from a file', async t => {
  const pems = `# the old one\n${ec}\n# the new ones\n${ed25519}${rsa}`
  t.strictSame(loadConfig({ JWT_PUBLIC_KEY: pems }, readNothing).auth.keys, [EC, ED25519, RSA])
  t.strictSame(loadConfig({ JWT_PUBLIC_KEY: 'keys.pem' }, readFrom({ 'keys.pem': pems })).auth.keys, [EC, ED25519, RSA])
})

t.test('does not start when JWT_SECRET and JWT_PUBLIC_KEY are both set', async t => {
  t.strictSame(faultsOf({ JWT_SECRET: 's3cret', JWT_PUBLIC_KEY: ec }), ['JWT_SECRET and JWT_PUBLIC_KEY exclude each other'])
})

t.test('does not start when JWT_SECRET is really a PEM or a JWK', async t => {
  t.strictSame(faultsOf({ JWT_SECRET: ec }), ['JWT_SECRET is a PEM key: set JWT_PUBLIC_KEY to it instead'])
  t.strictSame(faultsOf({ JWT_SECRET: '{"kty":"oct","k":"c2VjcmV0"}' }), ['JWT_SECRET is a JWK, not a secret'])
})

t.test('does not start when the file of JWT_PUBLIC_KEY cannot be read', async t => {
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: '/keys/none.pem' }, readFrom({})), ['JWT_PUBLIC_KEY names a file that cannot be read'])
  const path = `${t.testdir({})}/none.pem`
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: path }), ['JWT_PUBLIC_KEY names a file that cannot be read (ENOENT)'])
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: 's3cret-pasted-here' }), ['JWT_PUBLIC_KEY names a file that cannot be read (ENOENT)'], 'without what was pasted')
})

t.test('says what JWT_PUBLIC_KEY looks like where that is neither PEM nor a file, and what to set instead', async t => {
  const body = (pem: string) => pem.replaceAll(/-----.*-----/g, '')
  const faultOf = (text: string) => faultsOf({ JWT_PUBLIC_KEY: text })
  for (const text of [body(rsa), body(rsa).replaceAll('\n', ''), body(ec), body(ed25519).replaceAll('\n', '\\n'), 'MIIBIjANBgkq']) {
    t.strictSame(faultOf(text), ['JWT_PUBLIC_KEY looks like a key in bare base64: put it between its PEM lines, e.g. -----BEGIN PUBLIC KEY----- and -----END PUBLIC KEY-----'], text)
  }
  const jwk = JSON.stringify(generateEc().publicKey.export({ format: 'jwk' }))
  for (const text of [jwk, ` [${jwk}]`]) t.strictSame(faultOf(text), ['JWT_PUBLIC_KEY looks like a JWK: set it to the same key as PEM'], text)
  for (const text of ['https://issuer.example/keys', ' HTTP://issuer.example/keys']) {
    t.strictSame(faultOf(text), ['JWT_PUBLIC_KEY looks like a URL: set JWT_JWKS_URL to it instead, if a key set is there'], text)
  }
  t.strictSame(loadConfig({ JWT_PUBLIC_KEY: 'MII.pem' }, readFrom({ 'MII.pem': ec })).auth.keys, [EC], 'what can be read is a path')
})

t.test('does not start when the file of JWT_PUBLIC_KEY has no key', async t => {
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: 'empty.pem' }, readFrom({ 'empty.pem': '' })), ['JWT_PUBLIC_KEY has no PEM block'])
})

t.test('does not start when one of several keys cannot be used', async t => {
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: ec + toPem(generateRsa(1024).publicKey) }), [
    'JWT_PUBLIC_KEY has a fault in PEM block 2: it has 1024 bits; RSA needs at least 2048'
  ])
})

t.test('does not start when a key breaks off: it would be missing unnoticed', async t => {
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: ec + ec.slice(0, 80) }), ['JWT_PUBLIC_KEY has a PEM block that does not end'])
})

t.test('does not start when JWT_PUBLIC_KEY is a private key', async t => {
  t.strictSame(faultsOf({ JWT_PUBLIC_KEY: toPrivatePem(generateEc().privateKey) }), [
    'JWT_PUBLIC_KEY has a fault in PEM block 1: it is a private key, and only the public one is needed here'
  ])
})
