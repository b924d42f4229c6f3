import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { collectFaults, ConfigError } from '../../src/config/faults.js'
import { generateEc, toPrivatePem } from '../helpers/keys.js'
import { thrownBy } from '../helpers/thrown-by.js'

t.test('lists every fault at once, of the schema and of the rules', async t => {
  const error = thrownBy(ConfigError, () => loadConfig({
    NODE_ENV: 'production',
    PORT: '65536',
    LOG_LEVEL: 'loud',
    MQTT_PASSWORD: 'a password',
    MQTT_TOPIC: 'devices/+/{imei}',
    MQTT_CA_FILE: '/ca.pem',
    MQTT_CERT_FILE: '/cert.pem',
    MICRO_OPS: 'push down',
    DRAIN_DELAY_MS: '10000'
  }, path => { throw new Error(`cannot read ${path}`) }))
  t.equal(error.name, 'ConfigError')
  t.equal(error.message, `The configuration has 13 faults:
  - PORT must be <= 65535
  - LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent
  - MQTT_PASSWORD needs MQTT_USERNAME
  - MQTT_URL is required in production: there is no embedded broker
  - JWT_SECRET or one of JWT_PUBLIC_KEY, JWT_JWKS_URL and OIDC_ISSUER is required in production: there is no demo secret
  - SHUTDOWN_TIMEOUT_MS must be at least 18000, which is DRAIN_DELAY_MS + MQTT_QUEUE_TIMEOUT_MS + MQTT_PUBLISH_TIMEOUT_MS + 2000: every accepted request gets its answer
  - MICRO_OPS must be operations, comma-separated, each 1-64 of \`0-9 A-Z a-z _ . -\`
  - MQTT_CERT_FILE and MQTT_KEY_FILE must be set together
  - MQTT_CA_FILE needs every URL of MQTT_URL to be mqtts:// or wss://
  - MQTT_CA_FILE names a file that cannot be read
  - MQTT_CERT_FILE needs every URL of MQTT_URL to be mqtts:// or wss://
  - MQTT_CERT_FILE names a file that cannot be read
  - MQTT_TOPIC has a wildcard (+ or #), which a topic to publish to may not have [MQTT-3.3.2-2]`)
})

t.test('shows no value of a secret in any fault', async t => {
  const privateKey = toPrivatePem(generateEc().privateKey)
  const privateBody = privateKey.split('\n')[1] ?? ''
  const environments: ReadonlyArray<Readonly<Record<string, string>>> = [
    { NODE_ENV: 'production', JWT_SECRET: 'hush-1', MQTT_PASSWORD: 'hush-2', MQTT_URL: 'http://user:hush-3@broker.example' },
    { JWT_SECRET: `hush ${privateKey}` },
    { JWT_SECRET: '{"kty":"oct","k":"hush"}' },
    { JWT_SECRET: 'hush', JWT_PUBLIC_KEY: privateKey },
    { JWT_PUBLIC_KEY: privateKey.replaceAll('\n', '\\n') },
    { HOST: '0.0.0.0', PORT: 'x', JWT_SECRET: 'hush', MQTT_PASSWORD: 'hush' }
  ]
  for (const environment of environments) {
    const { message } = thrownBy(ConfigError, () => loadConfig(environment))
    t.notOk(message.includes('hush'), message)
    t.notOk(message.includes(privateBody), message)
  }
})

t.test('speaks of a single fault in the singular', async t => {
  t.equal(new ConfigError(['PORT must be a whole number']).message, 'The configuration has a fault:\n  - PORT must be a whole number')
})

t.test('throws nothing where there is no fault', async t => {
  const faults = collectFaults()
  faults.attempt('PORT', () => 3000)
  t.doesNotThrow(() => faults.assertNone())
})

t.test('tells a fault once, however often it is found', async t => {
  const faults = collectFaults()
  faults.add('PORT', 'is odd')
  faults.add('PORT', 'is odd')
  faults.add('PORT', 'is high')
  t.strictSame(thrownBy(ConfigError, () => faults.assertNone()).faults, ['PORT is odd', 'PORT is high'])
})

t.test('makes a fault of what a check throws, and gives back what it returns', async t => {
  const faults = collectFaults()
  t.equal(faults.attempt('A', () => 42), 42)
  t.equal(faults.attempt('B', () => { throw new RangeError('is out of range') }), undefined)
  // A library may throw anything.
  t.equal(faults.attempt('C', () => AbortSignal.abort('is no error').throwIfAborted()), undefined)
  t.strictSame(thrownBy(ConfigError, () => faults.assertNone()).faults, ['B is out of range', 'C is no error'])
})
