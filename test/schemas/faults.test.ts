import Fastify, { type FastifySchemaValidationError } from 'fastify'
import t from 'tap'
import { describeFaults } from '../../src/schemas/faults.js'
import { createSendBody, type SendBodyOptions } from '../../src/schemas/messaging.js'
import type { Fault } from '../../src/schemas/problem.js'

/** An error as Ajv reports it, with `verbose`. */
function createError (parts: Partial<FastifySchemaValidationError> & { parentSchema?: unknown }): FastifySchemaValidationError {
  return { keyword: 'type', instancePath: '/imei', schemaPath: '#', params: {}, ...parts }
}

t.test('describes nothing where there is no error', async t => {
  t.strictSame(describeFaults([]), [])
})

t.test('names an unknown member, by a pointer', async t => {
  const error = (additionalProperty: string, instancePath = '') => createError({ keyword: 'additionalProperties', instancePath, params: { additionalProperty } })
  const detail = 'is not a known member; nothing may be sent that is not understood'
  t.strictSame(describeFaults([error('x'), error('y', '/commands/0'), error('a/b~c'), error('~1'), error('')]), [
    { pointer: '/x', detail },
    { pointer: '/commands/0/y', detail },
    { pointer: '/a~1b~0c', detail },
    { pointer: '/~01', detail },
    { pointer: '/', detail }
  ])
})

t.test('names a missing member, by a pointer', async t => {
  const error = (missingProperty: string, instancePath = '') => createError({ keyword: 'required', instancePath, params: { missingProperty } })
  t.strictSame(describeFaults([error('imei'), error('imei', '/commands/0'), error('a/b')]), [
    { pointer: '/imei', detail: 'is required' },
    { pointer: '/commands/0/imei', detail: 'is required' },
    { pointer: '/a~1b', detail: 'is required' }
  ])
})

t.test('says by the description of a schema what a value must be', async t => {
  t.strictSame(describeFaults([createError({ message: 'must be string', parentSchema: { description: 'a text' } })]), [
    { pointer: '/imei', detail: 'must be a text' }
  ])
})

t.test('says what Ajv says where the schema has no description', async t => {
  for (const parentSchema of [undefined, null, true, 'description', {}]) {
    t.strictSame(describeFaults([createError({ message: 'must be object', instancePath: '', parentSchema })]), [
      { pointer: '', detail: 'must be object' }
    ])
  }
})

t.test('says at least that a value is not valid where Ajv says nothing', async t => {
  t.strictSame(describeFaults([createError({})]), [{ pointer: '/imei', detail: 'is not valid' }])
})

t.test('tells ten faults at most, and how many more there are', async t => {
  const errors = Array.from({ length: 12 }, (_, index) => createError({ instancePath: `/${index}`, message: 'must be odd' }))
  const faults: Fault[] = errors.slice(0, 10).map(({ instancePath }) => ({ pointer: instancePath, detail: 'must be odd' }))
  t.strictSame(describeFaults(errors.slice(0, 10)), faults)
  t.strictSame(describeFaults(errors), [...faults, { pointer: '', detail: 'and 2 faults more' }])
})

/** The faults of a body, as the validator of the server reports them. */
async function faultsOf (body: object | string, options: Partial<SendBodyOptions> = {}): Promise<Fault[]> {
  const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true, verbose: true } } })
  app.setErrorHandler<{ validation?: FastifySchemaValidationError[] }>((error, _request, reply) => {
    reply.send({ faults: describeFaults(error.validation ?? []) })
  })
  app.post('/', { schema: { body: createSendBody({ microOps: undefined, expires: true, ...options }) } }, () => ({ faults: [] }))
  const response = await app.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) })
  return response.json<{ faults: Fault[] }>().faults
}

const IMEI_RULE = 'must be 1-64 of `0-9 A-Z a-z _ -`, in quotes: a JSON number above 2^53 would name another device'
const MICRO_OP_RULE = 'must be 1-64 of `0-9 A-Z a-z _ . -`'
const TTL_RULE = 'must be a whole number of seconds, 1-86400, counted from receipt: after it the broker must not start to deliver the command'

t.test('finds no fault in a command, with and without a ttl', async t => {
  t.strictSame(await faultsOf({ imei: '42', micro_op: 'push_down' }), [])
  t.strictSame(await faultsOf({ imei: 'A-z_0', micro_op: 'a.b-c_d', ttl: 1 }), [])
  t.strictSame(await faultsOf({ imei: 'x'.repeat(64), micro_op: 'x'.repeat(64), ttl: 86_400 }), [])
})

t.test('tells every fault of a command at once', async t => {
  t.strictSame(await faultsOf({ imei: 42, ttl: 0, retain: true }), [
    { pointer: '/micro_op', detail: 'is required' },
    { pointer: '/retain', detail: 'is not a known member; nothing may be sent that is not understood' },
    { pointer: '/imei', detail: IMEI_RULE },
    { pointer: '/ttl', detail: TTL_RULE }
  ])
})

t.test('tells the rule that a value breaks, once for each value', async t => {
  for (const imei of ['', 'a/b', '+', 'a\n', 'x'.repeat(65), 42, null, ['42'], { id: '42' }]) {
    t.strictSame(await faultsOf({ imei, micro_op: 'push_down' }), [{ pointer: '/imei', detail: IMEI_RULE }], JSON.stringify(imei))
  }
  for (const microOp of ['', 'push down', 'a/b', 'x'.repeat(65), 1, false]) {
    t.strictSame(await faultsOf({ imei: '42', micro_op: microOp }), [{ pointer: '/micro_op', detail: MICRO_OP_RULE }], JSON.stringify(microOp))
  }
  for (const ttl of [0, -1, 1.5, 86_401, 1e300, '30', null]) {
    t.strictSame(await faultsOf({ imei: '42', micro_op: 'push_down', ttl }), [{ pointer: '/ttl', detail: TTL_RULE }], JSON.stringify(ttl))
  }
})

t.test('tells which operations there are where only some are accepted', async t => {
  const options = { microOps: ['push_down', 'push_up'] }
  t.strictSame(await faultsOf({ imei: '42', micro_op: 'push_up' }, options), [])
  t.strictSame(await faultsOf({ imei: '42', micro_op: 'reboot' }, options), [{ pointer: '/micro_op', detail: 'must be one of push_down, push_up' }])
})

t.test('tells why no ttl is accepted where commands cannot expire', async t => {
  const options = { expires: false }
  t.strictSame(await faultsOf({ imei: '42', micro_op: 'push_down' }, options), [])
  t.strictSame(await faultsOf({ imei: '42', micro_op: 'push_down', ttl: 30 }, options), [
    { pointer: '/ttl', detail: 'must be left out: the broker is spoken to in MQTT 3.1.1, which has no expiry' }
  ])
})

t.test('points at the whole body where that is no object', async t => {
  t.strictSame(await faultsOf([]), [{ pointer: '', detail: 'must be object' }])
  t.strictSame(await faultsOf('push_down'), [{ pointer: '', detail: 'must be object' }])
})

t.test('says of an unknown member no more than the beginning of its name', async t => {
  const [fault] = await faultsOf({ imei: '42', micro_op: 'push_down', ['~'.repeat(200_000)]: 1 })
  t.equal(fault?.pointer, `/${'~0'.repeat(128)}…`)
})
