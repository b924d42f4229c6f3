import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { COMPLETE, faultsOf, loadPlain } from '../helpers/config.js'

type Config = ReturnType<typeof loadConfig>

/** Wide enough for every time-out, so that only the variable under test is at fault. */
const ROOMY = { ...COMPLETE, SHUTDOWN_TIMEOUT_MS: '3600000' }

const INTEGERS: ReadonlyArray<readonly [name: string, minimum: number, maximum: number, read: (config: Config) => number | undefined]> = [
  ['PORT', 0, 65_535, config => config.port],
  ['MQTT_PUBLISH_TIMEOUT_MS', 100, 600_000, config => config.mqtt.publishTimeoutMs],
  ['MQTT_QUEUE_TIMEOUT_MS', 0, 600_000, config => config.mqtt.queueTimeoutMs],
  ['MQTT_MAX_INFLIGHT', 1, 60_000, config => config.mqtt.maxInflight],
  ['MQTT_MAX_QUEUE', 0, 1_000_000, config => config.mqtt.maxQueue],
  ['COMMAND_TTL_S', 1, 86_400, config => config.commandTtlS],
  ['MAX_WAITERS', 1, 1_000_000, config => config.mqtt.maxWaiters],
  ['IDEMPOTENCY_TTL_S', 1, 2_592_000, config => config.idempotency.ttlS],
  ['IDEMPOTENCY_MAX_RECORDS', 1, 10_000_000, config => config.idempotency.maxRecords],
  ['METRICS_PORT', 0, 65_535, config => config.metricsPort],
  ['DRAIN_DELAY_MS', 0, 600_000, config => config.drainDelayMs]
]

for (const [name, minimum, maximum, read] of INTEGERS) {
  t.test(`takes a ${name} from ${minimum} to ${maximum}`, async t => {
    t.equal(read(loadConfig({ ...ROOMY, [name]: String(minimum) })), minimum)
    t.equal(read(loadConfig({ ...ROOMY, [name]: String(maximum) })), maximum)
  })

  t.test(`does not start when ${name} is out of its range or no whole number`, async t => {
    t.strictSame(faultsOf({ ...ROOMY, [name]: String(minimum - 1) }), [`${name} must be >= ${minimum}`])
    t.strictSame(faultsOf({ ...ROOMY, [name]: String(maximum + 1) }), [`${name} must be <= ${maximum}`])
    for (const text of ['many', '1.5', '10s', '1,000', 'NaN', 'Infinity', '-Infinity', ' ', '0x10', '1e3', '5.0']) {
      t.strictSame(faultsOf({ ...ROOMY, [name]: text }), [`${name} must be a whole number`], text)
    }
  })
}

t.test('takes a SHUTDOWN_TIMEOUT_MS up to 3600000', async t => {
  t.equal(loadConfig({ SHUTDOWN_TIMEOUT_MS: '3600000' }).shutdownTimeoutMs, 3_600_000)
})

t.test('does not start when SHUTDOWN_TIMEOUT_MS is out of its range or no whole number', async t => {
  t.strictSame(faultsOf({ SHUTDOWN_TIMEOUT_MS: '999' }), ['SHUTDOWN_TIMEOUT_MS must be >= 1000'])
  t.strictSame(faultsOf({ SHUTDOWN_TIMEOUT_MS: '3600001' }), ['SHUTDOWN_TIMEOUT_MS must be <= 3600000'])
  t.strictSame(faultsOf({ SHUTDOWN_TIMEOUT_MS: 'long' }), ['SHUTDOWN_TIMEOUT_MS must be a whole number'])
})

const CHOICES: ReadonlyArray<readonly [name: string, values: readonly string[], read: (config: Config) => string]> = [
  ['LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], config => config.logLevel],
  ['MQTT_PROTOCOL', ['5', '3.1.1'], config => config.mqtt.protocolVersion],
  ['MQTT_PAYLOAD', ['text', 'json'], config => config.mqtt.payloadFormat]
]

for (const [name, values, read] of CHOICES) {
  t.test(`takes each value of ${name}`, async t => {
    t.strictSame(values.map(value => read(loadConfig({ [name]: value }))), values)
  })

  t.test(`does not start when ${name} is none of its values`, async t => {
    for (const value of ['4', 'TEXT', ' json', 'constructor']) {
      t.strictSame(faultsOf({ [name]: value }), [`${name} must be one of ${values.join(', ')}`], value)
    }
  })
}

t.test('takes an MQTT_CLIENT_ID of 1 to 64 safe characters', async t => {
  for (const clientId of ['x', 'Gateway_1-b', 'a'.repeat(64)]) {
    t.equal(loadConfig({ MQTT_CLIENT_ID: clientId }).mqtt.clientId, clientId)
  }
})

t.test('does not start when MQTT_CLIENT_ID has other characters or is too long', async t => {
  const fault = 'MQTT_CLIENT_ID must match pattern "^[0-9A-Za-z_-]{1,64}$"'
  for (const clientId of ['a/b', 'a b', 'ü', 'a\n', 'a'.repeat(65)]) {
    t.strictSame(faultsOf({ MQTT_CLIENT_ID: clientId }), [fault], JSON.stringify(clientId))
  }
})

t.test('takes a JWT_SCOPE in the syntax of a scope token (RFC 6749, section 3.3)', async t => {
  for (const scope of ['messaging:send', 'https://api.example/send', '!', '~']) {
    t.equal(loadConfig({ JWT_SCOPE: scope }).auth.scope, scope)
  }
})

t.test('does not start when JWT_SCOPE could not be one scope, or not stand in a header', async t => {
  const fault = 'JWT_SCOPE must be one scope, without blanks and quotes'
  for (const scope of ['a b', 'a"b', 'a\\b', 'a\n', 'ü']) {
    t.strictSame(faultsOf({ JWT_SCOPE: scope }), [fault], JSON.stringify(scope))
  }
})

t.test('takes an AUTHORIZATION_DETAILS of required, and does not start with any other', async t => {
  t.equal(loadConfig({ AUTHORIZATION_DETAILS: 'required' }).auth.requiresDetails, true)
  for (const value of ['optional', 'REQUIRED', 'true', ' required']) {
    t.strictSame(faultsOf({ AUTHORIZATION_DETAILS: value }), ['AUTHORIZATION_DETAILS must be `required`, or unset'], value)
  }
})

t.test('takes a variable that looks like a number as the text it is', async t => {
  const config = loadPlain({ JWT_SECRET: '42', JWT_ISSUER: 'true', JWT_AUDIENCE: 'null', MQTT_USERNAME: '007' })
  t.strictSame(config.auth, {
    keys: [{ material: '42', isSecret: true, algorithms: ['HS256'] }], keySource: undefined, issuer: 'true', audience: 'null', scope: undefined, requiresDetails: false
  })
  t.equal(config.mqtt.username, '007')
})
