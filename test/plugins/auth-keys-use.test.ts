import t from 'tap'
import { answer, LET_IN, NEW, OLD, startIssued, UNPUBLISHED } from '../helpers/issued-app.js'
import { toJwk } from '../helpers/issuer.js'
import { jws, rsassa } from '../helpers/jws.js'
import { generateEc, generateEd25519, generateRsa } from '../helpers/keys.js'

t.test('uses each key only for what its JWK says it is for', async t => {
  const { app, issuer, advance } = await startIssued(t)
  const rsa = generateRsa()
  const weak = generateRsa(1024)
  const ed = generateEd25519()
  const p384 = generateEc('P-384')
  issuer.state.keys = [
    toJwk(rsa.publicKey, { kid: 'any' }),
    toJwk(rsa.publicKey, { kid: 'pinned', alg: 'PS256' }),
    toJwk(rsa.publicKey, { kid: 'encrypts', use: 'enc' }),
    toJwk(rsa.publicKey, { kid: 'signs', key_ops: ['sign'] }),
    toJwk(rsa.publicKey, { kid: 'verifies', key_ops: ['verify'], use: 'sig' }),
    toJwk(weak.publicKey, { kid: 'weak' }),
    toJwk(ed.publicKey, { kid: 'ed' }),
    toJwk(p384.publicKey, { kid: 'p384' }),
    { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'broken' },
    toJwk(OLD.publicKey, { kid: 'twice' }),
    toJwk(NEW.publicKey, { kid: 'twice' }),
    { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' }
  ]
  advance(0)
  const is = async (expected: unknown[], key: Parameters<typeof issuer.sign>[0], alg: string, kid?: string) => {
    t.strictSame(await answer(app, await issuer.sign(key, { alg, ...(kid !== undefined && { kid }) })), expected, `${alg} ${kid}`)
  }
  await is(LET_IN, rsa.privateKey, 'RS256', 'any')
  await is(LET_IN, rsa.privateKey, 'PS256', 'any')
  await is([401, 'The access token is signed with an algorithm that is not accepted'], rsa.privateKey, 'RS512', 'any')
  await is(UNPUBLISHED, rsa.privateKey, 'RS256', 'pinned')
  await is(LET_IN, rsa.privateKey, 'PS256', 'pinned')
  await is(UNPUBLISHED, rsa.privateKey, 'RS256', 'encrypts')
  await is(UNPUBLISHED, rsa.privateKey, 'RS256', 'signs')
  await is(LET_IN, rsa.privateKey, 'RS256', 'verifies')
  await is(LET_IN, ed.privateKey, 'EdDSA', 'ed')
  await is(LET_IN, p384.privateKey, 'ES384', 'p384')
  await is(UNPUBLISHED, OLD.privateKey, 'ES256', 'p384')
  await is(UNPUBLISHED, OLD.privateKey, 'ES256', 'broken')
  await is([401, 'The issuer publishes several keys that fit the access token'], OLD.privateKey, 'ES256', 'twice')
  t.strictSame(await answer(app, jws({ alg: 'RS256', kid: 'weak' }, {}, rsassa(weak.privateKey))), UNPUBLISHED, 'RSA under 2048 bits')
  await is(LET_IN, ed.privateKey, 'EdDSA')
  await is([401, 'The access token does not say which key it is signed with'], rsa.privateKey, 'RS256')
})
