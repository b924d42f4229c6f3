import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { ConfigError } from '../../src/config/faults.js'
import { COMPLETE, faultsOf, readFrom } from '../helpers/config.js'
import { CERTIFICATE, CERTIFICATE_KEY, generateEc, generateRsa, toPem, toPrivatePem } from '../helpers/keys.js'
import { thrownBy } from '../helpers/thrown-by.js'

const SECURE = { ...COMPLETE, MQTT_URL: 'mqtts://broker.example' }

/** The faults of a file of authorities. */
const faultsOfAuthorities = (ca: string) => faultsOf({ ...SECURE, MQTT_CA_FILE: 'ca' }, readFrom({ ca }))

/** The faults of a client certificate and its key. */
const faultsOfPair = (cert: string, key: string) =>
  faultsOf({ ...SECURE, MQTT_CERT_FILE: 'cert', MQTT_KEY_FILE: 'key' }, readFrom({ cert, key }))

const BROKEN = '-----BEGIN CERTIFICATE-----\nMFkw\n-----END CERTIFICATE-----\n'

t.test('takes authorities and chains of several certificates, with text around them', async t => {
  const bundle = `Issuer A\r\n${CERTIFICATE.replaceAll('\n', '\r\n')}\nIssuer B\n${CERTIFICATE}`
  const { ca, cert } = loadConfig({ ...SECURE, MQTT_CA_FILE: 'ca', MQTT_CERT_FILE: 'cert', MQTT_KEY_FILE: 'key' }, readFrom({
    ca: bundle, cert: bundle, key: CERTIFICATE_KEY
  })).mqtt
  t.strictSame({ ca, cert }, { ca: bundle, cert: bundle })
})

t.test('does not start when a file of certificates has none, or one that cannot be read', async t => {
  const cases: Array<[string, string]> = [
    ['', 'has no certificate in PEM'],
    ['junk', 'has no certificate in PEM'],
    [toPem(generateEc().publicKey), 'has no certificate in PEM'],
    [BROKEN, 'has a certificate that cannot be read: number 1 of 1'],
    [CERTIFICATE + BROKEN, 'has a certificate that cannot be read: number 2 of 2'],
    [CERTIFICATE + CERTIFICATE.slice(0, 80), 'has a certificate that does not end']
  ]
  for (const [pem, fault] of cases) {
    t.strictSame(faultsOfAuthorities(pem), [`MQTT_CA_FILE ${fault}`])
    t.strictSame(faultsOfPair(pem, CERTIFICATE_KEY), [`MQTT_CERT_FILE ${fault}`])
  }
})

t.test('does not start when the key is none, or needs a passphrase', async t => {
  const encrypted = generateEc().privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
  for (const key of ['', 'junk', toPem(generateEc().publicKey), CERTIFICATE, encrypted]) {
    t.strictSame(faultsOfPair(CERTIFICATE, key), ['MQTT_KEY_FILE has no private key in PEM that can be read without a passphrase'])
  }
})

t.test('does not start when the key is that of another certificate, also where OpenSSL would take both', async t => {
  for (const { privateKey } of [generateEc(), generateRsa()]) {
    t.strictSame(faultsOfPair(CERTIFICATE, toPrivatePem(privateKey)), [
      'MQTT_KEY_FILE has a key that does not belong to the certificate in MQTT_CERT_FILE'
    ])
  }
})

t.test('lists the faults of TLS files together, and shows nothing of a key', async t => {
  const key = toPrivatePem(generateEc().privateKey)
  const files = readFrom({ ca: key, cert: key, key: key.slice(0, 100) })
  const { message, faults } = thrownBy(ConfigError, () => loadConfig({ ...SECURE, MQTT_CA_FILE: 'ca', MQTT_CERT_FILE: 'cert', MQTT_KEY_FILE: 'key' }, files))
  t.strictSame(faults, [
    'MQTT_CA_FILE has no certificate in PEM',
    'MQTT_CERT_FILE has no certificate in PEM',
    'MQTT_KEY_FILE has no private key in PEM that can be read without a passphrase'
  ])
  t.notOk(message.includes(key.split('\n')[1] ?? ''))
})
