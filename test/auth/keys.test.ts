import { generateKeyPairSync, randomBytes } from 'node:crypto'
import t from 'tap'
import { createSecretKey, isBareKey, MIN_SECRET_BYTES, readPublicKeys } from '../../src/auth/keys.js'
import { CERTIFICATE, CERTIFIED_KEY, generateEc, generateEd25519, generateRsa, toPem, toPrivatePem } from '../helpers/keys.js'
import { thrownBy } from '../helpers/thrown-by.js'

/** Why none of the keys in a PEM text is taken. */
function refusalOf (pem: string): string {
  return thrownBy(RangeError, () => readPublicKeys(pem)).message
}

t.test('allows each type of key its own algorithms and no others', async t => {
  const keys = [
    { pem: toPem(generateRsa(2048).publicKey), algorithms: ['RS256', 'PS256'] },
    { pem: toPem(generateRsa(3072).publicKey), algorithms: ['RS256', 'PS256'] },
    { pem: toPem(generateEc('P-256').publicKey), algorithms: ['ES256'] },
    { pem: toPem(generateEc('P-384').publicKey), algorithms: ['ES384'] },
    { pem: toPem(generateEc('P-521').publicKey), algorithms: ['ES512'] },
    { pem: toPem(generateEd25519().publicKey), algorithms: ['EdDSA'] }
  ]
  for (const { pem, algorithms } of keys) {
    t.strictSame(readPublicKeys(pem), [{ material: pem, isSecret: false, algorithms }], algorithms.join(', '))
  }
})

t.test('takes an RSA key in the older form of PKCS #1, and gives it back as SPKI', async t => {
  const { publicKey } = generateRsa()
  const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  t.ok(pkcs1.startsWith('-----BEGIN RSA PUBLIC KEY-----\n'))
  t.strictSame(readPublicKeys(pkcs1), [{ material: toPem(publicKey), isSecret: false, algorithms: ['RS256', 'PS256'] }])
})

t.test('takes the public key out of a certificate', async t => {
  t.strictSame(readPublicKeys(CERTIFICATE), [{ material: CERTIFIED_KEY, isSecret: false, algorithms: ['ES256'] }])
})

t.test('takes every key and certificate of a text, in their order, and ignores what is around them', async t => {
  const ed25519 = toPem(generateEd25519().publicKey)
  const keys = readPublicKeys(`the next one:\r\n${ed25519.replaceAll('\n', '\r\n')}and the one in use:\n${CERTIFICATE}the end`)
  t.strictSame(keys.map(key => key.material), [ed25519, CERTIFIED_KEY])
})

t.test('refuses a text without a PEM block', async t => {
  for (const text of ['', 'issuer.pem', '-----BEGIN PUBLIC KEY-----\nMFkw\n', '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END CERTIFICATE-----']) {
    t.equal(refusalOf(text), 'has no PEM block', text)
  }
})

t.test('refuses a private key of any form, although a public one could be derived from it', async t => {
  const fault = 'has a fault in PEM block 1: it is a private key, and only the public one is needed here'
  const { privateKey: ec } = generateEc()
  const { privateKey: rsa } = generateRsa()
  t.equal(refusalOf(toPrivatePem(ec)), fault)
  t.equal(refusalOf(ec.export({ type: 'sec1', format: 'pem' }).toString()), fault)
  t.equal(refusalOf(rsa.export({ type: 'pkcs1', format: 'pem' }).toString()), fault)
  t.equal(refusalOf(rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()), fault)
})

t.test('refuses an RSA key under 2048 bits', async t => {
  t.equal(refusalOf(toPem(generateRsa(1024).publicKey)), 'has a fault in PEM block 1: it has 1024 bits; RSA needs at least 2048')
  t.equal(refusalOf(toPem(generateRsa(2040).publicKey)), 'has a fault in PEM block 1: it has 2040 bits; RSA needs at least 2048')
})

t.test('refuses a curve that no algorithm of ours is for', async t => {
  t.equal(refusalOf(toPem(generateEc('secp256k1').publicKey)), 'has a fault in PEM block 1: the curve secp256k1 is not P-256, P-384 or P-521')
})

t.test('refuses a type of key that no algorithm of ours is for', async t => {
  const rsaPss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
  const fault = (type: string) => `has a fault in PEM block 1: the type ${type} is not RSA, EC or Ed25519`
  t.equal(refusalOf(toPem(rsaPss)), fault('rsa-pss'))
  t.equal(refusalOf(toPem(generateKeyPairSync('x25519').publicKey)), fault('x25519'))
  t.equal(refusalOf(toPem(generateKeyPairSync('ed448').publicKey)), fault('ed448'))
})

t.test('refuses a block that is no key, and says which one it is', async t => {
  const unreadable = '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n'
  const request = '-----BEGIN CERTIFICATE REQUEST-----\nMFkw\n-----END CERTIFICATE REQUEST-----\n'
  t.equal(refusalOf(unreadable), 'has a fault in PEM block 1: it cannot be read as a public key or certificate')
  t.equal(refusalOf(CERTIFICATE + request), 'has a fault in PEM block 2: it cannot be read as a public key or certificate')
})

t.test('makes an HS256 key of a secret, as it is', async t => {
  for (const secret of ['x', ' with blanks ', '{"not": "a JWK"}', 'BEGIN']) {
    t.strictSame(createSecretKey(secret), { material: secret, isSecret: true, algorithms: ['HS256'] })
  }
})

t.test('refuses a secret that is a PEM, which whoever verifies tokens also has', async t => {
  const fault = 'is a PEM key: set JWT_PUBLIC_KEY to it instead'
  const pem = toPem(generateEc().publicKey)
  for (const secret of [pem, `  ${pem}`, pem.replaceAll('\n', '\\n'), CERTIFICATE, toPrivatePem(generateEc().privateKey)]) {
    t.equal(thrownBy(RangeError, () => createSecretKey(secret)).message, fault)
  }
})

t.test('refuses a secret that is a PEM in base64', async t => {
  const secret = Buffer.from(toPem(generateEc().publicKey)).toString('base64')
  t.equal(thrownBy(RangeError, () => createSecretKey(secret)).message, 'is a PEM key: set JWT_PUBLIC_KEY to it instead')
})

t.test('refuses a secret that is a public key without its PEM lines', async t => {
  const rsa = generateRsa().publicKey
  const bodies = [toPem(rsa), toPem(generateEc().publicKey), toPem(generateEd25519().publicKey), rsa.export({ type: 'pkcs1', format: 'pem' }).toString(), CERTIFICATE]
    .map(pem => pem.replaceAll(/-----.*-----/g, ''))
  for (const body of bodies) {
    for (const secret of [body, body.replaceAll('\n', ''), body.replaceAll('\n', '\\n'), Buffer.from(body, 'base64').toString('base64url')]) {
      t.equal(isBareKey(secret), true)
      t.equal(thrownBy(RangeError, () => createSecretKey(secret)).message,
        'is a public key without its PEM lines: set JWT_PUBLIC_KEY to it, with them, instead', secret)
    }
  }
})

t.test('takes no secret for a key that only begins as one, or is random bytes in base64', async t => {
  for (const secret of ['MIIBIjANBgkq', 'MFkw', randomBytes(32).toString('base64'), randomBytes(256).toString('base64')]) {
    t.equal(isBareKey(secret), false, secret)
    t.equal(createSecretKey(secret).material, secret)
  }
})

t.test('refuses a secret that is a JWK or a set of them, at any depth', async t => {
  const jwk = generateEc().publicKey.export({ format: 'jwk' })
  const text = JSON.stringify(jwk)
  for (const secret of [text, JSON.stringify({ keys: [jwk] }, null, 2), ' {"k":"c2VjcmV0","kty":"oct"}', `[${text}]`,
    JSON.stringify([[{ a: jwk }]], null, 2), JSON.stringify(text), `'${text}'`, Buffer.from(text).toString('base64')]) {
    t.equal(thrownBy(RangeError, () => createSecretKey(secret)).message, 'is a JWK, not a secret')
  }
})

t.test('wants at least the 256 bits of RFC 7518 for a secret of production', async t => {
  t.equal(MIN_SECRET_BYTES, 256 / 8)
})
