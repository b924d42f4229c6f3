import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import Provider, { type JWKS } from 'oidc-provider'
import t, { type Test } from 'tap'
import { startApp } from './helpers/app.js'
import { startBroker } from './helpers/broker.js'
import { AUDIENCE, listen } from './helpers/issuer.js'
import { readShellBlocks } from './helpers/markdown.js'
import { createFolder } from './helpers/program.js'
import { paste, skipWithout } from './helpers/shell.js'

const SCOPE = 'messaging:send'
const INITIAL_ACCESS_TOKEN = 'for-whoever-may-register'

/** An issuer where programs register themselves (RFC 7591), and get tokens by client credentials. */
async function startIssuer (t: Test): Promise<string> {
  const servers: Provider[] = []
  const url = await listen(t, createServer(async (request, response) => { await servers[0]?.callback()(request, response) }))
  const jwk = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }
  servers.push(new Provider(url, {
    jwks: { keys: [jwk] } as JWKS,
    scopes: [SCOPE],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      registration: { enabled: true, initialAccessToken: INITIAL_ACCESS_TOKEN },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://messenger.example',
        getResourceServerInfo: () => ({ audience: AUDIENCE, scope: SCOPE, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'RS256' } } })
      }
    }
  }))
  return url
}

t.test('leads from the registration at an issuer to a command', { skip: skipWithout('curl') }, async t => {
  const issuer = await startIssuer(t)
  const broker = await startBroker(t)
  const app = await startApp(t, { MQTT_URL: broker.url, JWT_SECRET: '', OIDC_ISSUER: issuer, JWT_AUDIENCE: AUDIENCE, JWT_SCOPE: SCOPE })
  await app.mqtt.whenConnected()
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })

  const blocks = readShellBlocks(readFileSync('docs/en/tutorial.md', 'utf8'))
  const block = (start: string) => blocks.find(text => text.startsWith(start)) ?? ''
  const cwd = createFolder(t)
  const run = async (...lines: string[]) => {
    const shell = paste(t, lines.join('\n'), cwd)
    t.equal(await shell.exit(), 0, shell.output.all)
    return shell.output.stdout
  }

  const settings = [`ISSUER=${issuer}`, `REGISTRATION_ENDPOINT=${issuer}/reg`, `INITIAL_ACCESS_TOKEN=${INITIAL_ACCESS_TOKEN}`]
  const client = JSON.parse(await run(...settings, block('curl -s "$REGISTRATION_ENDPOINT"')))
  const metadata = JSON.parse(await run(...settings, block('curl -s "$ISSUER/.well-known')))

  settings.push(`CLIENT_ID=${client.client_id}`, `CLIENT_SECRET=${client.client_secret}`, `TOKEN_ENDPOINT=${metadata.token_endpoint}`)
  const answer = JSON.parse(await run(...settings, block('curl -s "$TOKEN_ENDPOINT"')))
  t.strictSame(Object.keys(answer).sort(), ['access_token', 'expires_in', 'scope', 'token_type'])

  const command = block('curl http://127.0.0.1/messaging/send ').replace('http://127.0.0.1/', `${origin}/`)
  t.equal(await run(...settings, block('TOKEN=$(curl'), command), '{"detail":"Send `push_down` to topic `devices/26372637216372637126376237/commands`"}')
})
