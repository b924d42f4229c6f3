import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { COMPLETE, faultsOf, readFrom } from '../helpers/config.js'
import { CERTIFICATE, CERTIFICATE_KEY, generateEc, toPem } from '../helpers/keys.js'

const PRODUCTION = { NODE_ENV: 'production', ...COMPLETE }
const PUBLIC_KEY = toPem(generateEc().publicKey)

t.test('does not start in production without a broker', async t => {
  t.strictSame(faultsOf({ ...PRODUCTION, MQTT_URL: '' }), ['MQTT_URL is required in production: there is no embedded broker'])
  t.strictSame(faultsOf({ ...PRODUCTION, MQTT_URL: ' , ' }), ['MQTT_URL is required in production: there is no embedded broker'])
})

t.test('does not start in production without a key', async t => {
  t.strictSame(faultsOf({ ...PRODUCTION, JWT_SECRET: '' }), ['JWT_SECRET or one of JWT_PUBLIC_KEY, JWT_JWKS_URL and OIDC_ISSUER is required in production: there is no demo secret'])
})

t.test('does not start in production with a secret under 32 bytes', async t => {
  const fault = 'JWT_SECRET must have at least 32 bytes in production (RFC 7518, section 3.2)'
  t.strictSame(faultsOf({ ...PRODUCTION, JWT_SECRET: 'x'.repeat(31) }), [fault])
  t.equal(loadConfig({ ...PRODUCTION, JWT_SECRET: 'x'.repeat(32) }).auth.keys.length, 1)
  t.equal(loadConfig({ ...PRODUCTION, JWT_SECRET: 'ü'.repeat(16) }).auth.keys.length, 1, 'bytes are counted, not characters')
  t.equal(loadConfig({ ...COMPLETE, JWT_SECRET: 'x' }).auth.keys.length, 1, 'outside of production any secret does')
})

t.test('does not start when NODE_ENV is mistyped: it would be taken for no production', async t => {
  for (const mode of ['prod', 'Production', 'production ', 'staging']) {
    t.strictSame(faultsOf({ NODE_ENV: mode }), ['NODE_ENV must be one of development, test, production'], mode)
  }
  for (const mode of ['development', 'test', '']) t.equal(loadConfig({ NODE_ENV: mode }).isDemo, true, mode)
})

t.test('starts in production with a public key alone', async t => {
  const config = loadConfig({ NODE_ENV: 'production', HOST: '0.0.0.0', MQTT_URL: COMPLETE.MQTT_URL, JWT_PUBLIC_KEY: PUBLIC_KEY })
  t.equal(config.isDemo, false)
  t.strictSame(config.corsOrigins, [])
})

t.test('does not start as a demo on an address that others can reach', async t => {
  const fault = 'HOST must be a loopback address in demo mode; to leave it, set MQTT_URL and JWT_SECRET or JWT_PUBLIC_KEY'
  for (const host of ['0.0.0.0', '::', '192.168.1.7', 'messenger.example', '127.0.0.1.example']) {
    t.strictSame(faultsOf({ HOST: host }), [fault], host)
  }
  t.strictSame(faultsOf({ HOST: '0.0.0.0', MQTT_URL: COMPLETE.MQTT_URL }), [fault], 'without a key')
  t.strictSame(faultsOf({ HOST: '0.0.0.0', JWT_SECRET: COMPLETE.JWT_SECRET }), [fault], 'without a broker')
})

t.test('starts as a demo on any loopback address, and elsewhere when it is no demo', async t => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) t.equal(loadConfig({ HOST: host }).host, host)
  t.equal(loadConfig({ ...COMPLETE, HOST: '0.0.0.0' }).host, '0.0.0.0')
})

t.test('does not start when MQTT_URL is no list of broker URLs', async t => {
  const fault = 'MQTT_URL must be mqtt://, mqtts://, ws:// or wss:// URLs, comma-separated'
  for (const url of ['broker.example', 'broker.example:1883', 'http://broker.example', 'tcp://broker.example', '//broker.example', 'mqtt://a.example:port', 'mqtt://a.example;mqtt://b.example,http://c.example']) {
    t.strictSame(faultsOf({ ...COMPLETE, MQTT_URL: url }), [fault], url)
  }
})

t.test('does not start when MQTT_URL has a query that is not part of a WebSocket URL', async t => {
  const fault = 'MQTT_URL must have no query at mqtt:// and mqtts:// URLs: settings are variables of their own'
  for (const url of ['mqtt://a.example?clientId=x', 'mqtts://a.example:8883/?clean=false', 'wss://a.example/mqtt?token=x,mqtt://b.example?', 'mqtt://a.example#x']) {
    t.strictSame(faultsOf({ ...COMPLETE, MQTT_URL: url }), [fault], url)
  }
  t.strictSame(loadConfig({ ...COMPLETE, MQTT_URL: 'wss://a.example/mqtt?token=x' }).mqtt.urls, ['wss://a.example/mqtt?token=x'])
})

t.test('does not start when there is a password for the broker and no user name', async t => {
  t.strictSame(faultsOf({ ...COMPLETE, MQTT_PASSWORD: 'a password' }), ['MQTT_PASSWORD needs MQTT_USERNAME'])
  t.equal(loadConfig({ ...COMPLETE, MQTT_USERNAME: 'alone' }).mqtt.username, 'alone')
})

t.test('does not start when MQTT_REPLY_TOPIC breaks a rule of reply topics', async t => {
  t.strictSame(faultsOf({ MQTT_REPLY_TOPIC: 'replies/{imei}' }), ['MQTT_REPLY_TOPIC has no {instance}: every process would get the answers to all others'])
  t.strictSame(faultsOf({ MQTT_REPLY_TOPIC: '{claims.tenant}/{instance}/{imei}' }), ['MQTT_REPLY_TOPIC has the unknown placeholder {claims.tenant}; there are {instance} and {imei}'])
})

t.test('does not start when MQTT_TOPIC breaks a rule of topics', async t => {
  t.strictSame(faultsOf({ MQTT_TOPIC: 'devices/commands' }), ['MQTT_TOPIC has no {imei}: every device would get every command'])
  t.strictSame(faultsOf({ MQTT_TOPIC: '{tenant}/{imei}' }), ['MQTT_TOPIC has the unknown placeholder {tenant}; there are {imei} and {claims.<name of a claim>}'])
})

t.test('does not start when MICRO_OPS names nothing, or what no command can ask for', async t => {
  const fault = 'MICRO_OPS must be operations, comma-separated, each 1-64 of `0-9 A-Z a-z _ . -`'
  for (const microOps of [',', 'push down', 'push_down,ü', 'a'.repeat(65), 'push_down;push_up']) {
    t.strictSame(faultsOf({ MICRO_OPS: microOps }), [fault], microOps)
  }
})

t.test('does not start when CORS_ORIGIN has what no browser sends as its origin', async t => {
  const fault = 'CORS_ORIGIN must be * or origins like https://hoppscotch.io, in lower case and without a path; it has '
  for (const origin of ['hoppscotch.io', 'https://hoppscotch.io/', 'https://Hoppscotch.io', 'https://a.example:443', 'https://a.example/path', '*.example', 'https://*.example', 'null', 'file:///x', 'file://', 'localhost:3000', 'https://user@a.example']) {
    t.strictSame(faultsOf({ CORS_ORIGIN: origin }), [fault + origin], origin)
  }
  t.strictSame(faultsOf({ CORS_ORIGIN: 'https://a.example,b.example, c.example' }), [`${fault}b.example, c.example`])
  t.strictSame(loadConfig({ CORS_ORIGIN: 'http://localhost:8080,http://[::1]:3000,capacitor://localhost,*' }).corsOrigins, [
    'http://localhost:8080', 'http://[::1]:3000', 'capacitor://localhost', '*'
  ])
})

t.test('does not start when a stop could cut off a request that was accepted', async t => {
  const fault = (leastMs: number) => `SHUTDOWN_TIMEOUT_MS must be at least ${leastMs}, which is DRAIN_DELAY_MS + ` +
    'MQTT_QUEUE_TIMEOUT_MS + MQTT_PUBLISH_TIMEOUT_MS + 2000: every accepted request gets its answer'
  const times = { DRAIN_DELAY_MS: '3000', MQTT_QUEUE_TIMEOUT_MS: '400', MQTT_PUBLISH_TIMEOUT_MS: '5000' }
  t.strictSame(faultsOf({ ...times, SHUTDOWN_TIMEOUT_MS: '10399' }), [fault(10_400)])
  t.equal(loadConfig({ ...times, SHUTDOWN_TIMEOUT_MS: '10400' }).shutdownTimeoutMs, 10_400)
  t.strictSame(faultsOf({ MQTT_PUBLISH_TIMEOUT_MS: '12001' }), [fault(15_001)], 'also with the default')
})

t.test('does not start when METRICS_PORT is PORT, unless each takes a free one', async t => {
  const fault = 'METRICS_PORT must be another port than PORT'
  t.strictSame(faultsOf({ PORT: '8080', METRICS_PORT: '8080' }), [fault])
  t.strictSame(faultsOf({ METRICS_PORT: '3000' }), [fault], 'also with the default')
  t.strictSame(faultsOf({ METRICS_PORT: '3000', MQTT_TOPIC: 'devices' }), [fault, 'MQTT_TOPIC has no {imei}: every device would get every command'])
  t.equal(loadConfig({ PORT: '0', METRICS_PORT: '0' }).metricsPort, 0)
  t.equal(loadConfig({ PORT: '0', METRICS_PORT: '3000' }).metricsPort, 3000)
})

const FILES = readFrom({ '/ca.pem': `# the CA\n${CERTIFICATE}`, '/cert.pem': CERTIFICATE, '/key.pem': CERTIFICATE_KEY })
const SECURE = { ...COMPLETE, MQTT_URL: 'wss://broker.example' }

t.test('reads the TLS files for a broker that is spoken to over TLS', async t => {
  const { ca, cert, key } = loadConfig({ ...SECURE, MQTT_CA_FILE: '/ca.pem' }, FILES).mqtt
  t.strictSame({ ca, cert, key }, { ca: `# the CA\n${CERTIFICATE}`, cert: undefined, key: undefined })
  const client = loadConfig({ ...SECURE, MQTT_CERT_FILE: '/cert.pem', MQTT_KEY_FILE: '/key.pem' }, FILES).mqtt
  t.strictSame([client.ca, client.cert, client.key], [undefined, CERTIFICATE, CERTIFICATE_KEY])
})

t.test('does not start when there are TLS files and not every URL uses TLS', async t => {
  t.strictSame(faultsOf({ ...COMPLETE, MQTT_CA_FILE: '/ca.pem', MQTT_CERT_FILE: '/cert.pem', MQTT_KEY_FILE: '/key.pem' }, FILES), [
    'MQTT_CA_FILE needs every URL of MQTT_URL to be mqtts:// or wss://',
    'MQTT_CERT_FILE needs every URL of MQTT_URL to be mqtts:// or wss://',
    'MQTT_KEY_FILE needs every URL of MQTT_URL to be mqtts:// or wss://'
  ])
})

t.test('does not start when MQTT.js would turn a plain URL into TLS for the sake of a certificate', async t => {
  t.strictSame(faultsOf({ ...SECURE, MQTT_URL: 'mqtts://a,mqtt://b', MQTT_CERT_FILE: '/cert.pem', MQTT_KEY_FILE: '/key.pem' }, FILES), [
    'MQTT_CERT_FILE needs every URL of MQTT_URL to be mqtts:// or wss://',
    'MQTT_KEY_FILE needs every URL of MQTT_URL to be mqtts:// or wss://'
  ])
})

t.test('takes a MICRO_OPS that names an operation twice', async t => {
  t.strictSame(loadConfig({ ...COMPLETE, MICRO_OPS: 'push_down,push_up,push_down' }).microOps, ['push_down', 'push_up'])
})

t.test('does not start when MQTT_URL names no host', async t => {
  for (const url of ['mqtt://', 'mqtt:broker', 'mqtts://:8883']) {
    t.strictSame(faultsOf({ ...COMPLETE, MQTT_URL: url }), ['MQTT_URL must be mqtt://, mqtts://, ws:// or wss:// URLs, comma-separated'], url)
  }
})

t.test('does not start when the client certificate or its key is missing', async t => {
  const fault = 'MQTT_CERT_FILE and MQTT_KEY_FILE must be set together'
  t.strictSame(faultsOf({ ...SECURE, MQTT_CERT_FILE: '/cert.pem' }, FILES), [fault])
  t.strictSame(faultsOf({ ...SECURE, MQTT_KEY_FILE: '/key.pem' }, FILES), [fault])
})

t.test('does not start when a TLS file cannot be read', async t => {
  t.strictSame(faultsOf({ ...SECURE, MQTT_CA_FILE: '/none.pem' }, FILES), ['MQTT_CA_FILE names a file that cannot be read'])
})

t.test('does not start when REDIS_URL is no URL of a Redis, and does not show it', async t => {
  for (const url of ['localhost:6379', 'http://localhost', 'redis:', 'redis://', 'redis:///0', '127.0.0.1', 'rediss:/secret', 'redis://localhost?enableOfflineQueue=true']) {
    t.strictSame(faultsOf({ REDIS_URL: url }), ['REDIS_URL must be a redis:// or rediss:// URL, without a query'], url)
  }
})

t.test('does not start when the path of REDIS_URL is not the number of a database', async t => {
  for (const url of ['redis://h/abc', 'redis://h/0/1', 'redis://h/-1', 'rediss://u:secret@h:6380/1a', 'redis://h//']) {
    t.strictSame(faultsOf({ REDIS_URL: url }), ['REDIS_URL must have the number of a database as its path, or none'], url)
  }
  for (const url of ['redis://h', 'redis://h/', 'redis://h/0', 'rediss://u:p@h:6380/15']) t.equal(loadConfig({ REDIS_URL: url }).redisUrl, url)
})

t.test('does not start when credentials in a URL cannot be decoded, and does not show them', async t => {
  const fault = 'must have a user name and a password that can be percent-decoded: a % of theirs is written %25'
  for (const credentials of [':p%zz', 'u:p%zz', 'u%:p', 'u:%E0%A4']) {
    t.strictSame(faultsOf({ REDIS_URL: `redis://${credentials}@h` }), [`REDIS_URL ${fault}`], credentials)
    for (const url of [`mqtt://${credentials}@h`, `wss://a.example,wss://${credentials}@h/mqtt`]) {
      t.strictSame(faultsOf({ ...COMPLETE, MQTT_URL: url }), [`MQTT_URL ${fault}`], url)
    }
  }
  t.equal(loadConfig({ REDIS_URL: 'redis://u:p%25zz@h' }).redisUrl, 'redis://u:p%25zz@h')
  t.strictSame(loadConfig({ ...COMPLETE, MQTT_URL: 'mqtt://u:p%25zz@h' }).mqtt.urls, ['mqtt://u:p%25zz@h'])
})

t.test('does not start when traces would be sent to what is no URL for that', async t => {
  const fault = 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http:// or https:// URL, without a query'
  for (const url of ['collector.example', 'grpc://collector.example', 'http://collector.example?key=1']) {
    t.strictSame(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url }), [fault], url)
  }
})
