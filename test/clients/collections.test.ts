import t from 'tap'
import { catalogue } from '../../src/errors.js'
import { EXAMPLE } from '../helpers/app.js'
import { readCollections, readEnvironments } from './collections.js'

const { postman, hoppscotch, tokens } = readCollections()
const environments = readEnvironments()

/** Errors that one request after the other, to a messenger that works, does not bring about; or not at each broker. */
const NOT_ON_DEMAND = [
  'malformed_request', 'insufficient_scope', 'request_timeout', 'idempotency_key_in_use', 'rate_limited', 'header_fields_too_large', 'internal_error',
  'broker_unavailable', 'idempotency_store_full', 'idempotency_store_unavailable', 'key_source_unavailable', 'overloaded', 'shutting_down', 'delivery_unknown',
  'no_subscriber', 'reply_timeout', 'caller_gone'
]

t.test('both collections have the same requests and tests', async t => {
  t.ok(postman.length > 20)
  t.strictSame(hoppscotch, postman)
})

t.test('the token is set once, on the collection', async t => {
  t.strictSame(tokens, { postman: '{{token}}', hoppscotch: '{{token}}' })
  const own = postman.filter(({ auth }) => auth !== 'inherit').map(({ name }) => name)
  t.strictSame(own, ['No token', 'Bad token', 'Malformed Authorization', 'Token for another device'])
})

t.test('the first request is the documented one', async t => {
  const [first] = postman
  t.equal(first?.url, '{{url}}/messaging/send')
  t.strictSame(JSON.parse(first?.body ?? ''), EXAMPLE)
})

t.test('each request has a test, and each error that can be brought about a request', async t => {
  t.strictSame(postman.filter(({ tests }) => tests.length === 0).map(({ name }) => name), [])
  const named = postman.flatMap(({ tests }) => [...tests.join().matchAll(/is answered (\d+) (\w+)/g)].map(match => `${match[1]} ${match[2]}`))
  const errors = Object.entries(catalogue).filter(([code]) => !NOT_ON_DEMAND.includes(code)).map(([code, { status }]) => `${status} ${code}`)
  t.strictSame([...new Set(named)].sort(), [...errors, '406 not'].sort())
})

t.test('the environments have the same variables, and no secret in them', async t => {
  t.strictSame(environments.hoppscotch, environments.postman)
  t.strictSame(environments.postman.filter(({ isSecret }) => isSecret), [
    { key: 'token', value: '', isSecret: true },
    { key: 'tokenForAnotherDevice', value: '', isSecret: true }
  ])
})
