import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { faultsOf } from '../helpers/config.js'
import { generateEc, toPem } from '../helpers/keys.js'

const BROKER = { MQTT_URL: 'mqtt://broker.example' }
const PRODUCTION = { ...BROKER, NODE_ENV: 'production' }
const ISSUER = 'https://issuer.example/realms/a'
const JWKS_URL = `${ISSUER}/keys?tenant=a`
const JWKS = { JWT_JWKS_URL: JWKS_URL, JWT_ISSUER: ISSUER, JWT_AUDIENCE: 'messenger' }
const OIDC = { OIDC_ISSUER: ISSUER, JWT_AUDIENCE: 'messenger' }

t.test('takes JWT_JWKS_URL, with the issuer and the audience of its tokens', async t => {
  const { auth, isDemo } = loadConfig({ ...PRODUCTION, ...JWKS })
  t.strictSame(auth, { keys: [], keySource: { jwksUrl: JWKS_URL }, issuer: ISSUER, audience: 'messenger', scope: undefined, requiresDetails: false })
  t.equal(isDemo, false)
})

t.test('takes OIDC_ISSUER, which is also the iss of every token', async t => {
  const expected = { keys: [], keySource: { issuer: ISSUER }, issuer: ISSUER, audience: 'messenger', scope: undefined, requiresDetails: false }
  t.strictSame(loadConfig({ ...PRODUCTION, ...OIDC }).auth, expected)
  t.strictSame(loadConfig({ ...PRODUCTION, ...OIDC, JWT_ISSUER: ISSUER }).auth, expected)
  t.equal(loadConfig({ ...OIDC, OIDC_ISSUER: `${ISSUER}/` }).auth.issuer, `${ISSUER}/`, 'as it is, also with a slash at its end')
})

t.test('does not start when more than one variable says which keys there are', async t => {
  const pem = toPem(generateEc().publicKey)
  t.strictSame(faultsOf({ ...BROKER, ...JWKS, JWT_SECRET: 's3cret' }), ['JWT_SECRET and JWT_JWKS_URL exclude each other'])
  t.strictSame(faultsOf({ ...BROKER, ...OIDC, JWT_PUBLIC_KEY: pem }), ['JWT_PUBLIC_KEY and OIDC_ISSUER exclude each other'])
  t.strictSame(faultsOf({ ...BROKER, ...JWKS, ...OIDC }), ['JWT_JWKS_URL and OIDC_ISSUER exclude each other'])
  t.strictSame(faultsOf({ ...BROKER, ...JWKS, ...OIDC, JWT_SECRET: 's3cret', JWT_PUBLIC_KEY: pem }), [
    'JWT_SECRET and JWT_PUBLIC_KEY and JWT_JWKS_URL and OIDC_ISSUER exclude each other'
  ])
})

t.test('does not start when a token of the key set could be of another issuer or for somebody else', async t => {
  t.strictSame(faultsOf({ ...BROKER, JWT_JWKS_URL: JWKS_URL }), ['JWT_ISSUER is required with JWT_JWKS_URL', 'JWT_AUDIENCE is required with JWT_JWKS_URL'])
  t.strictSame(faultsOf({ ...BROKER, OIDC_ISSUER: ISSUER }), ['JWT_AUDIENCE is required with OIDC_ISSUER'])
  t.strictSame(faultsOf({ ...BROKER, ...OIDC, JWT_ISSUER: `${ISSUER}/` }), ['JWT_ISSUER must be OIDC_ISSUER where that is set, or unset'])
})

t.test('does not start when the keys could not be fetched, or credentials would have to be sent', async t => {
  for (const url of ['issuer.example', '//issuer.example', 'file:///keys.json', 'ftp://issuer.example', 'https://', 'https://a:b@issuer.example', 'https://:b@issuer.example']) {
    t.strictSame(faultsOf({ ...BROKER, ...JWKS, JWT_JWKS_URL: url }), ['JWT_JWKS_URL must be an https:// URL without credentials'], url)
    t.strictSame(faultsOf({ ...BROKER, ...OIDC, OIDC_ISSUER: url }), ['OIDC_ISSUER must be an https:// URL without credentials'], url)
  }
  for (const url of [`${ISSUER}?a=b`, `${ISSUER}#a`]) {
    t.strictSame(faultsOf({ ...BROKER, ...OIDC, OIDC_ISSUER: url }), ['OIDC_ISSUER must have no query and no fragment'], url)
  }
})

t.test('does not start when OIDC_ISSUER is where its metadata is: no token has that as its iss', async t => {
  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/a', '/.well-known/', '/.well-known']) {
    t.strictSame(faultsOf({ ...BROKER, ...OIDC, OIDC_ISSUER: ISSUER + path }), [
      'OIDC_ISSUER must be the issuer itself, as in iss: without /.well-known/ and what follows it'
    ], path)
  }
  const issuer = 'https://issuer.example/.well-known-users'
  t.equal(loadConfig({ ...OIDC, OIDC_ISSUER: issuer }).auth.issuer, issuer)
})

t.test('does not start when there are blanks around what a token must have to the letter', async t => {
  for (const pad of [(text: string) => ` ${text}`, (text: string) => `${text} `, (text: string) => `${text}\n`]) {
    t.strictSame(faultsOf({ ...BROKER, ...OIDC, OIDC_ISSUER: pad(ISSUER) }), ['OIDC_ISSUER must have no blanks around it'])
    t.strictSame(faultsOf({ ...BROKER, ...JWKS, JWT_ISSUER: pad(ISSUER), JWT_AUDIENCE: pad('messenger') }), [
      'JWT_ISSUER must have no blanks around it', 'JWT_AUDIENCE must have no blanks around it'
    ])
  }
  t.strictSame(faultsOf({ JWT_SECRET: 's3cret', JWT_AUDIENCE: ' ' }), ['JWT_AUDIENCE must have no blanks around it'], 'whatever the key is')
  t.equal(loadConfig({ JWT_SECRET: 's3cret', JWT_AUDIENCE: 'a b' }).auth.audience, 'a b', 'within it they are its own')
})

t.test('does not start in production when keys could be changed on their way', async t => {
  const url = 'http://issuer.example/keys'
  t.strictSame(faultsOf({ ...PRODUCTION, ...JWKS, JWT_JWKS_URL: url }), ['JWT_JWKS_URL must be an https:// URL in production'])
  t.strictSame(faultsOf({ ...PRODUCTION, ...OIDC, OIDC_ISSUER: url }), ['OIDC_ISSUER must be an https:// URL in production'])
  t.strictSame(loadConfig({ ...BROKER, ...JWKS, JWT_JWKS_URL: url }).auth.keySource, { jwksUrl: url }, 'elsewhere it is for trying out')
  for (const host of ['127.0.0.1:8080', '[::1]', 'localhost']) {
    t.strictSame(loadConfig({ ...PRODUCTION, ...OIDC, OIDC_ISSUER: `http://${host}` }).auth.keySource, { issuer: `http://${host}` }, host)
  }
})
