import type { FastifyInstance } from 'fastify'
import type { Demo } from './demo.js'
import { withoutCredentials } from './mqtt/reconnect.js'
import { signToken } from './tokens.js'

/** The device and the operation of the documented example. */
export const EXAMPLE = { imei: '26372637216372637126376237', micro_op: 'push_down' }

/** Lifetime of the token in the banner, in seconds. */
const TOKEN_TTL_S = 3_600

/** Tells a newcomer what runs where, and what to paste to send a first command. */
export async function printBanner (app: FastifyInstance, { config, state }: Demo, output: NodeJS.WritableStream): Promise<void> {
  if (state.broker !== undefined) await app.mqtt.whenConnected()
  const token = state.secret === undefined
    ? '$TOKEN'
    : await signToken({ secret: state.secret, expiresInS: TOKEN_TTL_S, claims: demoClaims(config) })
  const url = app.listeningOrigin
  const command = { ...EXAMPLE, micro_op: config.microOps?.[0] ?? EXAMPLE.micro_op }
  output.write(`
messenger (demo)   ${url}
In the browser     ${url}/docs
MQTT broker        ${config.mqtt.urls.map(withoutCredentials).join(', ')}${state.broker === undefined ? '' : ' (embedded)'}

Send a first command:

curl ${url}/messaging/send -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" -d '${JSON.stringify(command)}'

Be the device:     npm run -s device -- ${EXAMPLE.imei}
Another token:     npm run -s token

`)
}

/** Claims that get a demo token past whatever else was configured. */
export function demoClaims (config: Demo['config']): Record<string, unknown> {
  const { issuer, audience, scope, requiresDetails } = config.auth
  return {
    ...Object.fromEntries(config.mqtt.topic.claimNames.map(name => [name, 'demo'])),
    sub: 'demo',
    ...(requiresDetails && { authorization_details: [{ type: 'messaging' }] }),
    ...(issuer !== undefined && { iss: issuer }),
    ...(audience !== undefined && { aud: audience }),
    ...(scope !== undefined && { scope })
  }
}
