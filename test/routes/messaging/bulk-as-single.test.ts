import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { findDuplicateMember } from '../../../src/json/duplicates.js'
import { createBodies } from '../../fuzz/cases/bodies.js'
import { OPEN, toEnv, type Rules } from '../../fuzz/model/rules.js'
import { post, send, SECRET, token } from '../../helpers/app.js'
import { startScriptedApp } from '../../helpers/scripted-app.js'
import { acknowledging } from '../../helpers/scripted-broker.js'

/** Commands of each run, drawn as often from valid ones as from others. */
const COMMANDS = 1_000

/** Most bytes of the commands of one request: the body may have 256 KiB. */
const MOST_BYTES = 200_000

/** Most of one command: the single route takes 16 KiB. */
const MOST_OF_ONE = 16_000

/** What a command is answered with, by either route. */
interface Result {
  readonly status: number
  readonly detail: string
  readonly code?: string
}

/** JSON texts that may stand for a command. What is no JSON, or has a name twice, would be the fault of the whole request. */
function sampleCommands (seed: number, rules: Rules): string[] {
  const { valid, any } = createBodies(rules)
  const texts = fc.oneof(valid, any).map(bytes => Buffer.from(bytes, 'latin1').toString())
  return fc.sample(texts.filter(text => Buffer.byteLength(text) < MOST_OF_ONE && isSound(text)), { seed, numRuns: COMMANDS })
}

function isSound (text: string): boolean {
  try {
    return findDuplicateMember(text, JSON.parse(text)) === undefined
  } catch {
    return false
  }
}

/** As many at a time as one request may have. */
function * cutIntoBodies (commands: readonly string[]): Generator<string> {
  let body: string[] = []
  let bytes = 0
  for (const command of commands) {
    const size = Buffer.byteLength(command)
    if (bytes + size > MOST_BYTES) {
      yield `{"commands":[${body.join(',')}]}`
      body = []
      bytes = 0
    }
    body.push(command)
    bytes += size
  }
  yield `{"commands":[${body.join(',')}]}`
}

/** What the single route says, in the words of a result of many: one line for each fault. */
function toResult ({ status, detail, code, errors }: Result & { readonly errors?: ReadonlyArray<{ pointer: string, detail: string }> }): Result {
  const faults = errors?.map(fault => `${fault.pointer} ${fault.detail}`.trim()).join('; ')
  return { status, detail: faults === undefined ? detail : `The command does not fit its schema: ${faults}`, ...(code !== undefined && { code }) }
}

for (const [name, rules, claims] of [
  ['any command', OPEN, {}],
  ['few operations', { ...OPEN, microOps: ['a', 'b', 'push_down'] }, {}],
  ['a token for one device', OPEN, { authorization_details: [{ type: 'messaging', identifier: '26372637216372637126376237' }] }]
] as const) {
  for (const seed of [1, randomInt(2 ** 31)]) {
    t.test(`does with each of many commands what the single route does with it: ${name}, seed ${seed}`, async t => {
      // On a clock that stands still, since the expiry of a command is what is left of its ttl.
      const { broker, app } = await startScriptedApp(t, acknowledging, { ...toEnv(rules), JWT_SECRET: SECRET })
      const headers = { authorization: `Bearer ${await token(claims)}` }
      const commands = sampleCommands(seed, rules)
      const single: Result[] = []
      for (const command of commands) {
        const answer = await send(app, command, headers)
        single.push(toResult({ ...answer.json(), status: answer.statusCode }))
      }
      const count = broker.published.length
      const many: Result[] = []
      const imeis: unknown[] = []
      for (const body of cutIntoBodies(commands)) {
        const answer = await post(app, '/messaging/send/bulk', body, headers)
        if (answer.statusCode !== 200) throw new Error(`the whole request is answered ${answer.body}`)
        for (const { imei, ...result } of answer.json().results) {
          many.push(result)
          imeis.push(imei)
        }
      }
      t.strictSame(many, single)
      t.strictSame(imeis, commands.map(command => {
        const imei = new Map(Object.entries(Object(JSON.parse(command)))).get('imei')
        return typeof imei === 'string' && /^[\w-]{1,64}$/.test(imei) ? imei : null
      }))
      const published = broker.published.map(({ topic, payload, properties }) => [topic, String(payload), properties?.messageExpiryInterval])
      t.strictSame(published.slice(count), published.slice(0, count))
      t.equal(count, single.filter(({ status }) => status === 200).length)
      t.ok(count > 0 && count < COMMANDS, `${count} of ${COMMANDS} accepted`)
    })
  }
}
