import t, { type Test } from 'tap'
import { ConfigError } from '../src/config/faults.js'
import { withDotEnv } from '../src/dotenv.js'
import { thrownBy } from './helpers/thrown-by.js'

/** A `.env` file of this test. */
function createDotEnv (t: Test, text: string): string {
  return `${t.testdir({ '.env': text })}/.env`
}

t.test('adds the variables of the file to the environment', async t => {
  const file = createDotEnv(t, 'PORT=80\n# a comment\nMQTT_TOPIC="d/{imei} # no comment"\nexport LOG_LEVEL=debug # a comment\nHOST=\n')
  t.strictSame(withDotEnv({ PATH: '/bin' }, file), {
    PATH: '/bin', PORT: '80', MQTT_TOPIC: 'd/{imei} # no comment', LOG_LEVEL: 'debug', HOST: ''
  })
})

t.test('reads the first variable of a file that begins with a byte order mark', async t => {
  t.strictSame(withDotEnv({}, createDotEnv(t, '\uFEFFNODE_ENV=production\r\nPORT=80\r\n')), { NODE_ENV: 'production', PORT: '80' })
})

t.test('reads a PEM over several lines', async t => {
  const pem = '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----'
  t.strictSame(withDotEnv({}, createDotEnv(t, `JWT_PUBLIC_KEY="${pem}"\n`)), { JWT_PUBLIC_KEY: pem })
})

t.test('lets the environment win over the file', async t => {
  const file = createDotEnv(t, 'PORT=80\nHOST=::1\n')
  t.strictSame(withDotEnv({ PORT: '81', HOST: '' }, file), { PORT: '81', HOST: '' })
})

t.test('leaves the environment it is given as it is', async t => {
  const environment = Object.freeze({ PATH: '/bin' })
  t.not(withDotEnv(environment, createDotEnv(t, 'PORT=80')), environment)
  t.strictSame(environment, { PATH: '/bin' })
})

t.test('gives the environment alone where there is no file', async t => {
  t.strictSame(withDotEnv({ PORT: '81' }, `${t.testdir({})}/.env`), { PORT: '81' })
})

t.test('reads .env of the working directory where no file is named', async t => {
  t.chdir(t.testdir({ '.env': 'PORT=82' }))
  t.strictSame(withDotEnv({}), { PORT: '82' })
})

t.test('throws when there is a file that cannot be read', async t => {
  const directory = t.testdir({ '.env': {} })
  t.strictSame(thrownBy(ConfigError, () => withDotEnv({}, `${directory}/.env`)).faults, [`${directory}/.env cannot be read (EISDIR)`])
})
