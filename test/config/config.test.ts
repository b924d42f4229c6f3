import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { Env } from '../../src/config/env.js'
import { COMPLETE, faultsOf, loadPlain, readFrom } from '../helpers/config.js'
import { CERTIFICATE, CERTIFICATE_KEY } from '../helpers/keys.js'

/** What the contract promises where nothing is set. */
const DEFAULTS = {
  host: '127.0.0.1',
  port: 3000,
  tls: undefined,
  trustedProxies: [],
  metricsPort: undefined,
  workers: 1,
  tracing: { endpoint: undefined, serviceName: 'messenger' },
  logLevel: 'info',
  isProduction: false,
  isDemo: true,
  corsOrigins: ['*'],
  drainDelayMs: 0,
  shutdownTimeoutMs: 15_000,
  lastHandOverMs: 7_000,
  commandTtlS: 30,
  microOps: undefined,
  redisUrl: undefined,
  limits: { caller: [], device: [] },
  idempotency: { ttlS: 86_400, maxRecords: 100_000 },
  auth: { keys: [], keySource: undefined, issuer: undefined, audience: undefined, scope: undefined, requiresDetails: false },
  mqtt: {
    urls: [],
    username: undefined,
    password: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    clientId: 'messenger',
    protocolVersion: '5',
    topic: 'devices/{imei}/commands',
    replyTopic: 'messenger/{instance}/replies/{imei}',
    payloadFormat: 'text',
    publishTimeoutMs: 5000,
    queueTimeoutMs: 1000,
    maxInflight: 1000,
    maxQueue: 10_000,
    maxWaiters: 10_000
  }
}

t.test('takes the defaults of the contract where nothing is set', async t => {
  t.strictSame(loadPlain({}), DEFAULTS)
})

t.test('takes an empty or undefined variable as unset', async t => {
  const names = Object.keys(Env.properties)
  t.strictSame(loadPlain(Object.fromEntries(names.map(name => [name, '']))), DEFAULTS)
  t.strictSame(loadPlain(Object.fromEntries(names.map(name => [name, undefined]))), DEFAULTS)
})

t.test('ignores variables that are not its own', async t => {
  t.strictSame(loadPlain({ PATH: '/bin', port: '1', MQTT_URLS: 'mqtt://broker.example', toString: 'x' }), DEFAULTS)
})

t.test('does not change the environment it is given', async t => {
  const environment = Object.freeze({ PORT: '80', HOST: '', LOG_LEVEL: 'loud', PATH: '/bin' })
  t.strictSame(faultsOf(environment), ['LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'])
  t.strictSame(environment, { PORT: '80', HOST: '', LOG_LEVEL: 'loud', PATH: '/bin' })
})

t.test('takes every variable over its default', async t => {
  const environment = {
    NODE_ENV: 'production',
    HOST: '0.0.0.0',
    PORT: '80',
    TLS_CERT_FILE: '/cert.pem',
    TLS_KEY_FILE: '/key.pem',
    TRUST_PROXY: '10.0.0.0/8',
    LOG_LEVEL: 'debug',
    MQTT_URL: 'mqtts://broker.example',
    MQTT_USERNAME: 'messenger-user',
    MQTT_PASSWORD: 'a password',
    MQTT_CA_FILE: '/ca.pem',
    MQTT_CERT_FILE: '/cert.pem',
    MQTT_KEY_FILE: '/key.pem',
    MQTT_CLIENT_ID: 'gateway_1',
    MQTT_PROTOCOL: '3.1.1',
    MQTT_TOPIC: 'd/{imei}/c',
    MQTT_REPLY_TOPIC: 'r/{instance}/{imei}',
    MQTT_PAYLOAD: 'json',
    MQTT_PUBLISH_TIMEOUT_MS: '2000',
    MQTT_QUEUE_TIMEOUT_MS: '500',
    MQTT_MAX_INFLIGHT: '20',
    MQTT_MAX_QUEUE: '0',
    COMMAND_TTL_S: '60',
    MAX_WAITERS: '500',
    MICRO_OPS: 'push_down,push_up',
    JWT_SECRET: COMPLETE.JWT_SECRET,
    JWT_ISSUER: 'https://issuer.example',
    JWT_AUDIENCE: 'messenger',
    JWT_SCOPE: 'messaging:send',
    AUTHORIZATION_DETAILS: 'required',
    RATE_LIMIT_CALLER: '2000/1m,100/1s',
    RATE_LIMIT_DEVICE: '5/10s',
    REDIS_URL: 'rediss://:a%20secret@redis.example:6380/2',
    IDEMPOTENCY_TTL_S: '600',
    IDEMPOTENCY_MAX_RECORDS: '5000',
    CORS_ORIGIN: 'https://hoppscotch.io',
    METRICS_PORT: '9464',
    WORKERS: '4',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318',
    OTEL_SERVICE_NAME: 'gates',
    DRAIN_DELAY_MS: '3000',
    SHUTDOWN_TIMEOUT_MS: '20000'
  }
  const { JWT_PUBLIC_KEY: _one, JWT_JWKS_URL: _orOther, OIDC_ISSUER: _excludesTheSecret, ...others } = Env.properties
  t.strictSame(Object.keys(environment).sort(), Object.keys(others).sort(), 'this test forgets no variable')
  t.strictSame(loadPlain(environment, readFrom({ '/ca.pem': CERTIFICATE, '/cert.pem': CERTIFICATE, '/key.pem': CERTIFICATE_KEY })), {
    host: '0.0.0.0',
    port: 80,
    tls: { cert: CERTIFICATE, key: CERTIFICATE_KEY },
    trustedProxies: ['10.0.0.0/8'],
    metricsPort: 9464,
    workers: 4,
    tracing: { endpoint: 'http://collector.example:4318', serviceName: 'gates' },
    logLevel: 'debug',
    isProduction: true,
    isDemo: false,
    corsOrigins: ['https://hoppscotch.io'],
    drainDelayMs: 3000,
    shutdownTimeoutMs: 20_000,
    lastHandOverMs: 12_500,
    commandTtlS: 60,
    microOps: ['push_down', 'push_up'],
    redisUrl: 'rediss://:a%20secret@redis.example:6380/2',
    limits: { caller: [{ max: 100, lengthMs: 1000 }, { max: 2000, lengthMs: 60_000 }], device: [{ max: 5, lengthMs: 10_000 }] },
    idempotency: { ttlS: 600, maxRecords: 5000 },
    auth: {
      keys: [{ material: COMPLETE.JWT_SECRET, isSecret: true, algorithms: ['HS256'] }],
      keySource: undefined,
      issuer: 'https://issuer.example',
      audience: 'messenger',
      scope: 'messaging:send',
      requiresDetails: true
    },
    mqtt: {
      urls: ['mqtts://broker.example'],
      username: 'messenger-user',
      password: 'a password',
      ca: CERTIFICATE,
      cert: CERTIFICATE,
      key: CERTIFICATE_KEY,
      clientId: 'gateway_1',
      protocolVersion: '3.1.1',
      topic: 'd/{imei}/c',
      replyTopic: 'r/{instance}/{imei}',
      payloadFormat: 'json',
      publishTimeoutMs: 2000,
      queueTimeoutMs: 500,
      maxInflight: 20,
      maxQueue: 0,
      maxWaiters: 500
    }
  })
})

t.test('splits lists at commas, without the blanks around and the empty items between', async t => {
  const config = loadConfig({
    ...COMPLETE,
    MQTT_URL: 'mqtt://a.example:1883, mqtts://b.example ,,ws://c.example/mqtt,wss://d.example/mqtt,',
    REDIS_URL: 'rediss://:a%20secret@redis.example:6380/2',
    IDEMPOTENCY_TTL_S: '600',
    IDEMPOTENCY_MAX_RECORDS: '5000',
    CORS_ORIGIN: 'https://a.example , https://b.example',
    MICRO_OPS: ' push_down, op.2-x ,'
  })
  t.strictSame(config.mqtt.urls, ['mqtt://a.example:1883', 'mqtts://b.example', 'ws://c.example/mqtt', 'wss://d.example/mqtt'])
  t.strictSame(config.corsOrigins, ['https://a.example', 'https://b.example'])
  t.strictSame(config.microOps, ['push_down', 'op.2-x'])
})

t.test('compiles the topic template, so that it builds topics', async t => {
  t.equal(loadConfig({ MQTT_TOPIC: 'd/{imei}/c' }).mqtt.topic.build('42'), 'd/42/c')
})

t.test('is a demo where the broker, the key or both are not set', async t => {
  t.equal(loadConfig({}).isDemo, true)
  t.equal(loadConfig({ MQTT_URL: COMPLETE.MQTT_URL }).isDemo, true)
  t.equal(loadConfig({ JWT_SECRET: COMPLETE.JWT_SECRET }).isDemo, true)
  t.equal(loadConfig(COMPLETE).isDemo, false)
})

t.test('lets browsers call from anywhere in the demo, and otherwise only from where it is told', async t => {
  t.strictSame(loadConfig({}).corsOrigins, ['*'])
  t.strictSame(loadConfig({ CORS_ORIGIN: 'https://a.example' }).corsOrigins, ['https://a.example'])
  t.strictSame(loadConfig(COMPLETE).corsOrigins, [])
  t.strictSame(loadConfig({ ...COMPLETE, CORS_ORIGIN: '*' }).corsOrigins, ['*'])
})

t.test('reads files from the disk where no reader is given', async t => {
  const text = `the CA – in UTF-8\n${CERTIFICATE}`
  const dir = t.testdir({ 'ca.pem': text })
  t.equal(loadConfig({ MQTT_URL: 'mqtts://broker.example', MQTT_CA_FILE: `${dir}/ca.pem` }).mqtt.ca, text)
})
