import { once } from 'node:events'
import type { KeyObject } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, type JWTHeaderParameters } from 'jose'
import type { Test } from 'tap'

export const AUDIENCE = 'messenger'

/** What an issuer does with a request for its keys. */
type Mood = 'answers' | 'hangs' | 'fails' | 'talks nonsense'

/** A listening server of the test's own, on a free loopback port, gone with the test. */
export async function listen (t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A public key as a JWK, with what is said of it. */
export function toJwk (key: KeyObject, members: object): object {
  return { ...key.export({ format: 'jwk' }), ...members }
}

/** An HTTP server with a key set at `/keys` that counts how often it is asked, and does as it is told. */
export async function startIssuer (t: Test) {
  const state = { keys: [] as object[], mood: 'answers' as Mood, fetches: 0, hanging: [] as ServerResponse[] }
  const server = createServer((_request, response) => {
    state.fetches += 1
    if (state.mood === 'hangs') {
      state.hanging.push(response)
      return
    }
    response.statusCode = state.mood === 'fails' ? 500 : 200
    response.end(state.mood === 'talks nonsense' ? 'nonsense' : JSON.stringify({ keys: state.keys }))
  })
  const url = await listen(t, server)
  return {
    url,
    state,
    /** Breaks off what it let hang. */
    hangUp (): void { for (const response of state.hanging) response.destroy() },
    /** What makes the messenger take its tokens. */
    env: { MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: '', JWT_JWKS_URL: `${url}/keys`, JWT_ISSUER: url, JWT_AUDIENCE: AUDIENCE },
    /** A good token of this issuer, signed with a key. */
    sign: async (key: KeyObject, header: JWTHeaderParameters) =>
      await new SignJWT({ sub: 'tester' }).setProtectedHeader(header).setIssuer(url).setAudience(AUDIENCE).setExpirationTime('2h').sign(key)
  }
}
