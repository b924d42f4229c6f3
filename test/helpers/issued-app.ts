import type { Test } from 'tap'
import { EXAMPLE, send, startApp, type App } from './app.js'
import { createFakeClock } from './fake-clock.js'
import { startIssuer, toJwk } from './issuer.js'
import { generateEc } from './keys.js'

/** The command was let in: it only found no broker. */
export const LET_IN = [406, undefined]
/** No key of the set fits. */
export const UNPUBLISHED = [401, 'The access token is signed with a key that its issuer does not publish']

/** Of the set at first, of it later, and never. */
export const [OLD, NEW, FOREIGN] = [generateEc(), generateEc(), generateEc()]
export const OLD_JWK = toJwk(OLD.publicKey, { kid: 'old', alg: 'ES256', use: 'sig' })
export const NEW_JWK = toJwk(NEW.publicKey, { kid: 'new', alg: 'ES256', use: 'sig' })

/** An issuer with one key, and a server that takes its tokens and whose time the test moves. */
export async function startIssued (t: Test, keyFetchTimeoutMs = 60_000, env: Readonly<Record<string, string>> = {}) {
  const issuer = await startIssuer(t)
  issuer.state.keys = [OLD_JWK]
  const { clock, advance } = createFakeClock(Date.now())
  const app = await startApp(t, { ...issuer.env, ...env }, { clock, keyFetchTimeoutMs })
  return {
    app,
    issuer,
    advance,
    old: await issuer.sign(OLD.privateKey, { alg: 'ES256', kid: 'old' }),
    fresh: await issuer.sign(NEW.privateKey, { alg: 'ES256', kid: 'new' })
  }
}

/** Status, and the detail of a problem. */
export async function answer (app: App, token: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await send(app, EXAMPLE, { authorization: `Bearer ${token}`, ...headers })
  return [response.statusCode, response.statusCode === 406 ? undefined : response.json().detail]
}
