import t from 'tap'
import { loadConfig } from '../../src/config/config.js'
import { COMPLETE, faultsOf } from '../helpers/config.js'

const SHARED = { ...COMPLETE, REDIS_URL: 'redis://redis.example' }
const noFile = (path: string): string => { throw new Error(`there is no file ${path}`) }
const workersOf = (text: string, cores = 4) => loadConfig({ ...SHARED, WORKERS: text }, noFile, () => cores).workers

t.test('has one worker, as many as WORKERS says, or one for each core', async t => {
  t.equal(loadConfig({}).workers, 1)
  t.equal(workersOf('1'), 1)
  t.equal(workersOf('128'), 128)
  t.equal(workersOf('auto'), 4)
  t.equal(loadConfig({ WORKERS: 'auto' }, noFile, () => 1).workers, 1, 'which on one core needs nothing')
  t.ok(loadConfig({ ...SHARED, WORKERS: 'auto' }).workers >= 1)
})

t.test('does not start with another number of workers', async t => {
  for (const text of ['0', '-1', '129', '1.5', '02', 'all', ' 2']) {
    t.strictSame(faultsOf({ ...SHARED, WORKERS: text }), ['WORKERS must be a whole number from 1 to 128, or `auto`'], text)
  }
})

t.test('does not start with several workers that cannot share broker, Redis or secret', async t => {
  t.strictSame(faultsOf({ JWT_SECRET: 'x', WORKERS: '2' }), [
    'WORKERS of 2 need MQTT_URL: they cannot share an embedded broker',
    'WORKERS of 2 need REDIS_URL: limits and keys must hold for all of them'
  ])
  t.strictSame(faultsOf({ ...SHARED, JWT_SECRET: '', WORKERS: '2' }), [
    'WORKERS of 2 need JWT_SECRET, or one of JWT_PUBLIC_KEY, JWT_JWKS_URL and OIDC_ISSUER: they share no demo secret'
  ])
})
