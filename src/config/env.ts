import { Type, type Static } from '@sinclair/typebox'
import envSchema from 'env-schema'
import type { Faults } from './faults.js'

const oneOf = <const T extends string>(values: readonly T[], options: { default?: T, description: string }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...options })

const text = (description: string) => Type.Optional(Type.String({ description }))

/**
 * Every environment variable the messenger reads: type, default and meaning.
 * The configuration table of the README is checked against this schema.
 */
export const Env = Type.Object({
  NODE_ENV: Type.Optional(oneOf(['development', 'test', 'production'], {
    description: '`production` switches off the demo and refuses weak settings; `development` and `test` are as unset'
  })),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on. Demo mode refuses any but a loopback address' }),
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65_535, description: 'Port to listen on; 0 takes a free one' }),
  TLS_CERT_FILE: text('PEM file with the certificate to serve HTTPS with, intermediate ones after it; needs `TLS_KEY_FILE`. Unset: plain HTTP'),
  TLS_KEY_FILE: text('PEM file with its private key'),
  TRUST_PROXY: text('Proxies whose `X-Forwarded-For` is believed: addresses or CIDRs, comma-separated. Unset: none'),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info', description: 'Least level logged. JSON lines; pretty on a terminal'
  }),
  MQTT_URL: text('Broker: `mqtt://`, `mqtts://`, `ws://` or `wss://`; several, comma-separated, are tried in turn. Unset: an embedded broker'),
  MQTT_USERNAME: text('User name for the broker'),
  MQTT_PASSWORD: text('Password for the broker; needs `MQTT_USERNAME`'),
  MQTT_CA_FILE: text('PEM file with the authorities to trust the broker by. Unset: those of Node.js'),
  MQTT_CERT_FILE: text('PEM file with our client certificate; needs `MQTT_KEY_FILE`'),
  MQTT_KEY_FILE: text('PEM file with its private key'),
  MQTT_CLIENT_ID: Type.String({
    default: 'messenger',
    pattern: '^[0-9A-Za-z_-]{1,64}$',
    description: 'Start of the MQTT client identifier; a random suffix follows it, new at each start'
  }),
  MQTT_PROTOCOL: oneOf(['5', '3.1.1'], {
    default: '5', description: 'MQTT version. With `3.1.1` the refusals of the broker and the expiry of commands are lost'
  }),
  MQTT_TOPIC: Type.String({
    default: 'devices/{imei}/commands', description: 'Topic to publish to; besides `{imei}` it may have claims of the token, e.g. `{claims.tenant}`'
  }),
  MQTT_REPLY_TOPIC: Type.String({
    default: 'messenger/{instance}/replies/{imei}',
    description: 'Topic that a device answers to where the caller waits (`Prefer: wait`); `{instance}` is new at each start, `{imei}` a level of its own'
  }),
  MQTT_PAYLOAD: oneOf(['text', 'json'], {
    default: 'text', description: 'What a device gets: the bare `micro_op`, or a JSON document around it'
  }),
  MQTT_PUBLISH_TIMEOUT_MS: Type.Integer({
    default: 5000, minimum: 100, maximum: 600_000, description: 'Longest wait for the PUBACK of a publish; after it the outcome is unknown (504)'
  }),
  MQTT_QUEUE_TIMEOUT_MS: Type.Integer({
    default: 1000, minimum: 0, maximum: 600_000, description: 'Longest wait for a free slot; after it the command was not sent (406)'
  }),
  MQTT_MAX_INFLIGHT: Type.Integer({
    default: 1000, minimum: 1, maximum: 60_000, description: 'Most publishes of a process without a PUBACK, where the Receive Maximum of the broker allows as many'
  }),
  MQTT_MAX_QUEUE: Type.Integer({
    default: 10_000, minimum: 0, maximum: 1_000_000, description: 'Most commands of a process that wait for a free slot'
  }),
  COMMAND_TTL_S: Type.Integer({ default: 30, minimum: 1, maximum: 86_400, description: '`ttl` of a command that states none' }),
  MAX_WAITERS: Type.Integer({
    default: 10_000, minimum: 1, maximum: 1_000_000, description: 'Most callers of a process that wait for the reply of a device; with as many waiting, a request with `Prefer: wait` is answered 503'
  }),
  MICRO_OPS: text('The only operations accepted, comma-separated. Unset: any'),
  JWT_SECRET: text('Secret of HS256 tokens; at least 32 bytes in production. Unset, with no other source of keys: a demo secret'),
  JWT_PUBLIC_KEY: text('Public keys or certificates that tokens are checked with, as PEM or the path of a PEM file. Several, one after the other, serve a rotation'),
  JWT_JWKS_URL: text('`https://` URL of the JSON Web Key Set that tokens are checked with; needs `JWT_ISSUER` and `JWT_AUDIENCE`'),
  OIDC_ISSUER: text('Issuer that says itself where its key set is (OpenID Connect Discovery or RFC 8414), exactly as in `iss`; needs `JWT_AUDIENCE`'),
  JWT_ISSUER: text('`iss` that every token must have. Unset: `OIDC_ISSUER`, where that is set'),
  JWT_AUDIENCE: text('`aud` that every token must have, alone or among others'),
  JWT_SCOPE: Type.Optional(Type.String({
    pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$', description: 'Scope that every token must have, in `scope` or `scp`'
  })),
  AUTHORIZATION_DETAILS: Type.Optional(Type.Unsafe<'required'>({
    type: 'string', enum: ['required'], description: '`required` refuses tokens without `authorization_details`. Unset: those may send everything'
  })),
  RATE_LIMIT_CALLER: text('Most commands of one caller (`iss` and `sub`), e.g. `100/1s,2000/1m`: 100 in a second and 2000 in a minute. Unset: no limit'),
  RATE_LIMIT_DEVICE: text('Most commands to one device (its topic), written alike. Unset: no limit'),
  REDIS_URL: text('Redis that all processes share, `redis://` or `rediss://`, for `Idempotency-Key` and the limits. Unset: each process has its own'),
  IDEMPOTENCY_TTL_S: Type.Integer({
    default: 86_400, minimum: 1, maximum: 2_592_000, description: 'How long the answer to an `Idempotency-Key` is kept, in seconds'
  }),
  IDEMPOTENCY_MAX_RECORDS: Type.Integer({
    default: 100_000,
    minimum: 1,
    maximum: 10_000_000,
    description: 'Most keys remembered without Redis, the key of a bulk counted once for each command that may be sent, and a long answer once for each KiB. None is dropped for another: above it, a request with a new key is answered 503, and so is every bulk with a key that has more commands than this'
  }),
  CORS_ORIGIN: text('Origins that browsers may call from, comma-separated, or `*`. Unset: `*` in demo mode, otherwise none'),
  METRICS_PORT: Type.Optional(Type.Integer({
    minimum: 0, maximum: 65_535, description: 'Port, on `HOST`, that `GET /metrics` is scraped from; 0 takes a free one. Unset: no metrics'
  })),
  WORKERS: Type.String({
    default: '1',
    pattern: '^(auto|[1-9]|[1-9]\\d|1[01]\\d|12[0-8])$',
    description: 'Processes that serve, 1 to 128, each with its own connection to the broker; `auto`: one for each core. More than 1 need `MQTT_URL`, `REDIS_URL` and a source of keys'
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: text('Receiver of traces (OTLP over HTTP, JSON), e.g. `http://127.0.0.1:4318`. Unset: nothing is traced'),
  OTEL_SERVICE_NAME: Type.String({ default: 'messenger', description: 'Name of the service in traces' }),
  DRAIN_DELAY_MS: Type.Integer({
    default: 0, minimum: 0, maximum: 600_000, description: 'How long a stopping server still serves while `/health/ready` already says 503'
  }),
  SHUTDOWN_TIMEOUT_MS: Type.Integer({
    default: 15_000, minimum: 1000, maximum: 3_600_000, description: 'Longest time from SIGTERM to the end of the process'
  })
})
export type Env = Static<typeof Env>

/** Of an environment, what the messenger reads: see {@link Env}. */
export function settingsOf (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name in Env.properties))
}

const INTEGERS = new Set(Object.entries(Env.properties).filter(([, { type }]) => type === 'integer').map(([name]) => name))

/** Faults that the words of Ajv, or ours for a choice, would leave unclear. */
const FAULT_TEXTS: ReadonlyMap<string, string> = new Map([
  ['WORKERS', 'must be a whole number from 1 to 128, or `auto`'],
  ['JWT_SCOPE', 'must be one scope, without blanks and quotes'],
  ['AUTHORIZATION_DETAILS', 'must be `required`, or unset']
])

/** A fault as Ajv reports it, as far as we read it. */
interface SchemaFault {
  readonly instancePath: string
  readonly message: string
  readonly params: { readonly allowedValues?: readonly string[] }
}

/**
 * Reads the variables of {@link Env}; an empty one counts as unset. A faulty one
 * is reported and its default taken, so that the checks after this one still run.
 */
export function parseEnv (environment: Readonly<Record<string, string | undefined>>, faults: Faults): Env {
  const given = new Map(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  for (const [name, value] of given) {
    // Ajv would take `Infinity`, ` ` and `0x10` for numbers.
    if (INTEGERS.has(name) && !/^-?\d+$/.test(String(value))) {
      faults.add(name, 'must be a whole number')
      given.delete(name)
    }
  }
  const read = () => envSchema<Env>({ schema: Env, data: Object.fromEntries(given), env: false })
  try {
    return read()
  } catch (error) {
    for (const { instancePath, message, params } of (error as { errors: SchemaFault[] }).errors) {
      const name = instancePath.slice(1)
      const choices = params.allowedValues
      faults.add(name, FAULT_TEXTS.get(name) ?? (choices === undefined ? message : `must be one of ${choices.join(', ')}`))
      given.delete(name)
    }
    return read()
  }
}
