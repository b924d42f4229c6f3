import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider, { type JWKS } from 'oidc-provider'
import t, { type Test } from 'tap'
import { EXAMPLE, send, startApp } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { AUDIENCE, listen } from '../helpers/issuer.js'
import { subscribe } from '../helpers/subscriber.js'

/** The resource that the provider makes JWTs for (RFC 8707). */
const RESOURCE = 'https://messenger.example'
const CLIENT = { id: 'gate-7', secret: 'the secret of gate 7' }
const CACHE_MS = 600_000
const COOLDOWN_MS = 30_000

/** A running provider, with one key at a time, and what asks it for a token by client credentials. */
async function startProvider (t: Test) {
  let provider: Provider | undefined
  const server = createServer(async (request, response) => { await provider?.callback()(request, response) })
  const url = await listen(t, server)

  /** Gives the provider a new key, and takes the old one away. */
  function rotate (kid: string): void {
    const jwk = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
    provider = new Provider(url, {
      jwks: { keys: [jwk] } as JWKS,
      clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }],
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => RESOURCE,
          getResourceServerInfo: () => ({ audience: AUDIENCE, scope: 'messaging:send', accessTokenFormat: 'jwt', accessTokenTTL: 7_200, jwt: { sign: { alg: 'RS256' } } })
        }
      }
    })
  }

  /** RFC 6749, section 4.4. */
  async function fetchToken (): Promise<string> {
    const response = await fetch(`${url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret)}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'messaging:send' })
    })
    const { access_token: token } = await response.json() as { access_token?: string }
    if (token === undefined) throw new Error(`no token: ${response.status}`)
    return token
  }

  rotate('first')
  return { url, rotate, fetchToken }
}

t.test('publishes for a token fetched by client credentials; after a rotation the old one until the cache window ends, and new ones at once', async t => {
  const broker = await startBroker(t)
  const device = await subscribe(t, broker.url, '#')
  const provider = await startProvider(t)
  const { clock, advance } = createFakeClock(Date.now())
  const env = { MQTT_URL: broker.url, JWT_SECRET: '', OIDC_ISSUER: provider.url, JWT_AUDIENCE: AUDIENCE, JWT_SCOPE: 'messaging:send' }
  const app = await startApp(t, env, { clock })
  await app.mqtt.whenConnected()
  const answer = async (token: string) => {
    const response = await send(app, EXAMPLE, { authorization: `Bearer ${token}` })
    return [response.statusCode, response.headers['www-authenticate'], response.json().detail]
  }
  const OK = [200, undefined, 'Send `push_down` to topic `devices/26372637216372637126376237/commands`']
  const why = 'The access token is signed with a key that its issuer does not publish'
  const REFUSED = [401, `Bearer realm="messenger", error="invalid_token", error_description="${why}"`, why]

  const old = await provider.fetchToken()
  t.strictSame(await answer(old), OK)
  advance(COOLDOWN_MS)
  provider.rotate('second')
  t.strictSame(await answer(old), OK, 'the old one, in the cache window')
  advance(CACHE_MS - COOLDOWN_MS)
  t.strictSame(await answer(old), REFUSED, 'the old one, after it')
  t.strictSame(await answer(await provider.fetchToken()), OK, 'a new one')

  advance(COOLDOWN_MS)
  provider.rotate('third')
  const second = await provider.fetchToken()
  t.strictSame(await answer(second), OK)
  advance(COOLDOWN_MS)
  provider.rotate('fourth')
  t.strictSame(await answer(await provider.fetchToken()), OK, 'a new one at once')
  t.strictSame(await answer(second), OK, 'and the old one still')
  advance(CACHE_MS)
  t.strictSame(await answer(second), REFUSED, 'until its window is over')
  await device.count(6)
  t.equal(device.received.length, 6)
})
