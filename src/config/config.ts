import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createSecretKey, MIN_SECRET_BYTES, readPublicKeys, type VerificationKey } from '../auth/keys.js'
import { MICRO_OP, MicroOp } from '../schemas/common.js'
import { parseWindows, type Window } from '../limits/windows.js'
import { compileReplyTopic } from '../mqtt/reply-topic.js'
import { compileTopic } from '../mqtt/topic.js'
import { readServerTls, readTrustedProxies } from './edges.js'
import { parseEnv, type Env } from './env.js'
import { collectFaults, type Faults } from './faults.js'
import { explainNoPublicKey, KEY_VARIABLES, readKeySource } from './key-source.js'
import { list, readBrokerUrls, readRedisUrl, readTracesUrl } from './service-urls.js'
import { checkTlsMaterial } from './tls-material.js'

/** Everything the messenger can be told, checked and ready to use. */
export type Config = ReturnType<typeof loadConfig>

/** Reads a file that a variable names. */
type ReadFile = (path: string) => string

const LOOPBACK_HOSTS = ['127.0.0.1', '::1', 'localhost']

/** What a stop takes beyond the publishes that are under way, in milliseconds. */
const STOP_MARGIN_MS = 2_000

/**
 * Turns environment variables into the configuration. Pure but for `readFile` and `countCores`.
 * @param readFile reads the files that variables name; default from the disk, as UTF-8
 * @param countCores tells how many cores this process may use; default as Node.js counts them
 * @throws {ConfigError} listing every fault at once
 */
export function loadConfig (
  environment: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile = path => readFileSync(path, 'utf8'),
  countCores: () => number = availableParallelism
) {
  const faults = collectFaults()
  const env = parseEnv(environment, faults)
  const urls = readBrokerUrls(env, faults)
  const keys = readKeys(env, faults, readFile)
  const isDemo = urls.length === 0 || lacksKey(env)
  checkMode(env, isDemo, urls, faults)
  checkShutdown(env, faults)
  checkMetricsPort(env, faults)
  const config = {
    host: env.HOST,
    port: env.PORT,
    /** What the server shows its clients; undefined: it speaks plain HTTP. */
    tls: readServerTls(env, faults, path => readNamedFile(path, readFile)),
    /** Addresses and CIDRs of the proxies whose `X-Forwarded-For` is believed. */
    trustedProxies: readTrustedProxies(env, faults),
    /** Where the metrics are scraped from; undefined: there are none. */
    metricsPort: env.METRICS_PORT,
    /** Processes that serve; 1: this one. */
    workers: readWorkers(env, isDemo, urls, countCores, faults),
    tracing: {
      /** Where traces are sent to; undefined: there are none. */
      endpoint: readTracesUrl(env, faults),
      serviceName: env.OTEL_SERVICE_NAME
    },
    logLevel: env.LOG_LEVEL,
    isProduction: env.NODE_ENV === 'production',
    /** Whether the embedded broker or the demo secret stands in for something that was not set. */
    isDemo,
    /** Origins that browsers may call from; `*` for any, empty for none. */
    corsOrigins: readCorsOrigins(env, isDemo, faults),
    drainDelayMs: env.DRAIN_DELAY_MS,
    shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT_MS,
    /** Once new requests are refused, a command that is handed over within this time still has its outcome in time, in milliseconds. */
    lastHandOverMs: env.SHUTDOWN_TIMEOUT_MS - leastShutdownMs(env),
    /** Seconds, where a command states no `ttl`. */
    commandTtlS: env.COMMAND_TTL_S,
    /** The only operations accepted; undefined accepts any. */
    microOps: readMicroOps(env, faults),
    /** Redis that all processes share; undefined: none. */
    redisUrl: readRedisUrl(env, faults),
    idempotency: {
      ttlS: env.IDEMPOTENCY_TTL_S,
      maxRecords: env.IDEMPOTENCY_MAX_RECORDS
    },
    limits: {
      /** Of each caller; empty: none. */
      caller: readWindows('RATE_LIMIT_CALLER', env, faults),
      /** Of each device; empty: none. */
      device: readWindows('RATE_LIMIT_DEVICE', env, faults)
    },
    auth: {
      /** Empty without a `keySource`: a demo secret is to be made. */
      keys,
      /** Where the keys are fetched from; undefined: from nowhere. */
      keySource: readKeySource(env, faults),
      issuer: env.JWT_ISSUER ?? env.OIDC_ISSUER,
      audience: env.JWT_AUDIENCE,
      scope: env.JWT_SCOPE,
      /** Whether a token without `authorization_details` may send nothing. */
      requiresDetails: env.AUTHORIZATION_DETAILS === 'required'
    },
    mqtt: {
      /** Empty: the embedded broker is to be started. */
      urls,
      username: env.MQTT_USERNAME,
      password: env.MQTT_PASSWORD,
      ...readTlsFiles(env, urls, faults, readFile),
      clientId: env.MQTT_CLIENT_ID,
      protocolVersion: env.MQTT_PROTOCOL,
      topic: faults.attempt('MQTT_TOPIC', () => compileTopic(env.MQTT_TOPIC)) ?? compileTopic('{imei}'),
      replyTopic: faults.attempt('MQTT_REPLY_TOPIC', () => compileReplyTopic(env.MQTT_REPLY_TOPIC)) ?? compileReplyTopic('{instance}/{imei}'),
      payloadFormat: env.MQTT_PAYLOAD,
      publishTimeoutMs: env.MQTT_PUBLISH_TIMEOUT_MS,
      queueTimeoutMs: env.MQTT_QUEUE_TIMEOUT_MS,
      maxInflight: env.MQTT_MAX_INFLIGHT,
      maxQueue: env.MQTT_MAX_QUEUE,
      /** Most callers that wait for the reply of a device. */
      maxWaiters: env.MAX_WAITERS
    }
  }
  faults.assertNone()
  return config
}

function readWindows (name: 'RATE_LIMIT_CALLER' | 'RATE_LIMIT_DEVICE', env: Env, faults: Faults): Window[] {
  const text = env[name]
  return text === undefined ? [] : faults.attempt(name, () => parseWindows(text)) ?? []
}

function readTlsFiles (env: Env, urls: readonly string[], faults: Faults, readFile: ReadFile) {
  const usesTls = urls.length > 0 && urls.every(url => url.startsWith('mqtts:') || url.startsWith('wss:'))
  const read = (name: 'MQTT_CA_FILE' | 'MQTT_CERT_FILE' | 'MQTT_KEY_FILE') => {
    const path = env[name]
    if (path === undefined) return undefined
    // MQTT.js would turn a plain URL into TLS where there is a certificate, without a word.
    if (!usesTls) faults.add(name, 'needs every URL of MQTT_URL to be mqtts:// or wss://')
    return faults.attempt(name, () => readNamedFile(path, readFile))
  }
  if ((env.MQTT_CERT_FILE === undefined) !== (env.MQTT_KEY_FILE === undefined)) {
    faults.add('MQTT_CERT_FILE', 'and MQTT_KEY_FILE must be set together')
  }
  const material = { ca: read('MQTT_CA_FILE'), cert: read('MQTT_CERT_FILE'), key: read('MQTT_KEY_FILE') }
  checkTlsMaterial('MQTT', material, faults)
  return material
}

/**
 * Reads a file that a variable names. The error leaves the name out: it may be a key that was pasted there.
 * @param explain what the text seems to be that names no file, where that can be told
 */
function readNamedFile (path: string, readFile: ReadFile, explain?: (text: string) => string | undefined): string {
  try {
    return readFile(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new RangeError(explain?.(path) ?? `names a file that cannot be read${code}`)
  }
}

function lacksKey (env: Env): boolean {
  return KEY_VARIABLES.every(name => env[name] === undefined)
}

function readKeys (env: Env, faults: Faults, readFile: ReadFile): VerificationKey[] {
  const { JWT_SECRET: secret, JWT_PUBLIC_KEY: publicKey } = env
  if (publicKey !== undefined) {
    return faults.attempt('JWT_PUBLIC_KEY', () => {
      if (publicKey.includes('-----BEGIN ')) return readPublicKeys(publicKey.replaceAll('\\n', '\n'))
      return readPublicKeys(readNamedFile(publicKey, readFile, explainNoPublicKey))
    }) ?? []
  }
  if (secret === undefined) return []
  return faults.attempt('JWT_SECRET', () => [createSecretKey(secret)]) ?? []
}

function readCorsOrigins (env: Env, isDemo: boolean, faults: Faults): string[] {
  const origins = list(env.CORS_ORIGIN ?? (isDemo ? '*' : ''))
  const wrong = origins.filter(origin => origin !== '*' && !isOrigin(origin))
  // A browser's Origin is compared as it stands: anything else would never match, without a word.
  if (wrong.length > 0) faults.add('CORS_ORIGIN', `must be * or origins like https://hoppscotch.io, in lower case and without a path; it has ${wrong.join(', ')}`)
  return origins
}

/** Scheme, host and port, as a browser writes them (RFC 6454, section 6.2). Apps have schemes of their own, e.g. `capacitor:`. */
function isOrigin (text: string): boolean {
  if (!URL.canParse(text) || text.includes('*')) return false
  const { protocol, host } = new URL(text)
  return host !== '' && text === `${protocol}//${host}`
}

function readMicroOps (env: Env, faults: Faults): string[] | undefined {
  if (env.MICRO_OPS === undefined) return undefined
  const microOps = [...new Set(list(env.MICRO_OPS))]
  if (microOps.length === 0 || !microOps.every(op => MICRO_OP.test(op))) {
    faults.add('MICRO_OPS', `must be operations, comma-separated, each ${MicroOp.description}`)
  }
  return microOps
}

/** What the demo may and production must. */
function checkMode (env: Env, isDemo: boolean, urls: readonly string[], faults: Faults): void {
  if (env.NODE_ENV === 'production') {
    if (urls.length === 0) faults.add('MQTT_URL', 'is required in production: there is no embedded broker')
    if (lacksKey(env)) faults.add('JWT_SECRET', 'or one of JWT_PUBLIC_KEY, JWT_JWKS_URL and OIDC_ISSUER is required in production: there is no demo secret')
    if (env.JWT_SECRET !== undefined && Buffer.byteLength(env.JWT_SECRET) < MIN_SECRET_BYTES) {
      faults.add('JWT_SECRET', `must have at least ${MIN_SECRET_BYTES} bytes in production (RFC 7518, section 3.2)`)
    }
  } else if (isDemo && !LOOPBACK_HOSTS.includes(env.HOST)) {
    faults.add('HOST', 'must be a loopback address in demo mode; to leave it, set MQTT_URL and JWT_SECRET or JWT_PUBLIC_KEY')
  }
}

function checkShutdown (env: Env, faults: Faults): void {
  const leastMs = leastShutdownMs(env)
  if (env.SHUTDOWN_TIMEOUT_MS >= leastMs) return
  faults.add('SHUTDOWN_TIMEOUT_MS', `must be at least ${leastMs}, which is DRAIN_DELAY_MS + MQTT_QUEUE_TIMEOUT_MS + ` +
    `MQTT_PUBLISH_TIMEOUT_MS + ${STOP_MARGIN_MS}: every accepted request gets its answer`)
}

function leastShutdownMs (env: Env): number {
  return env.DRAIN_DELAY_MS + env.MQTT_QUEUE_TIMEOUT_MS + env.MQTT_PUBLISH_TIMEOUT_MS + STOP_MARGIN_MS
}

/** Several processes can share neither an embedded broker nor what is remembered in memory. */
function readWorkers (env: Env, isDemo: boolean, urls: readonly string[], countCores: () => number, faults: Faults): number {
  const workers = env.WORKERS === 'auto' ? countCores() : Number(env.WORKERS)
  if (workers === 1) return workers
  if (urls.length === 0) faults.add('WORKERS', `of ${workers} need MQTT_URL: they cannot share an embedded broker`)
  if (env.REDIS_URL === undefined) faults.add('WORKERS', `of ${workers} need REDIS_URL: limits and keys must hold for all of them`)
  if (isDemo && urls.length > 0) faults.add('WORKERS', `of ${workers} need JWT_SECRET, or one of JWT_PUBLIC_KEY, JWT_JWKS_URL and OIDC_ISSUER: they share no demo secret`)
  return workers
}

function checkMetricsPort (env: Env, faults: Faults): void {
  // Two times 0 is two free ports.
  if (env.METRICS_PORT === env.PORT && env.PORT !== 0) faults.add('METRICS_PORT', 'must be another port than PORT')
}
