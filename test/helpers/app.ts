import type { Test } from 'tap'
import { buildApp, type AppOverrides } from '../../src/app.js'
import { loadConfig } from '../../src/config/config.js'
import { signToken } from '../../src/tokens.js'

export const SECRET = 'a secret of the tests, of more than 32 bytes'
export const IMEI = '26372637216372637126376237'
export const TOPIC = `devices/${IMEI}/commands`
export const EXAMPLE = { imei: IMEI, micro_op: 'push_down' }

/** The server under test, ready, closed with the test. */
export async function startApp (t: Test, env: Readonly<Record<string, string>>, overrides: AppOverrides = {}) {
  const app = await buildApp(loadConfig({ JWT_SECRET: SECRET, ...env }), overrides)
  t.teardown(() => app.close())
  await app.ready()
  return app
}
export type App = Awaited<ReturnType<typeof startApp>>

/** The server under test, connected to its broker. */
export async function startConnectedApp (t: Test, url: string, env: Readonly<Record<string, string>> = {}, overrides: AppOverrides = {}) {
  const app = await startApp(t, { MQTT_URL: url, ...env }, overrides)
  await app.mqtt.whenConnected()
  return app
}

/** An access token of the test's own issuer. */
export function token (claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return signToken({ secret: SECRET, expiresInS: 600, claims: { sub: 'tester', ...claims } })
}

let cached: Promise<string> | undefined

/** Posts a command with a valid token. */
export async function send (app: App, body: unknown = EXAMPLE, headers: Readonly<Record<string, string>> = {}) {
  return await post(app, '/messaging/send', body, headers)
}

/** Posts many commands with a valid token. */
export async function sendBulk (app: App, commands: readonly unknown[], headers: Readonly<Record<string, string>> = {}) {
  return await post(app, '/messaging/send/bulk', { commands }, headers)
}

/** Posts with a valid token. */
export async function post (app: App, url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  cached ??= token()
  return await app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${await cached}`, 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body)
  })
}
