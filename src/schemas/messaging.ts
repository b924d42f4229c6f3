import { Type, type Static } from '@sinclair/typebox'
import { Imei, MicroOp, Ttl } from './common.js'

/** One command: the body of `POST /messaging/send`. */
export const SendBody = Type.Object({
  imei: Imei,
  micro_op: MicroOp,
  ttl: Type.Optional(Ttl)
}, { additionalProperties: false, examples: [{ imei: '26372637216372637126376237', micro_op: 'push_down' }] })
export type SendBody = Static<typeof SendBody>

/** What a body may hold depends on these. */
export interface SendBodyOptions {
  /** The only operations accepted (`MICRO_OPS`); undefined accepts any. */
  readonly microOps: readonly string[] | undefined
  /** Whether commands expire at the broker. Where they do not, a `ttl` could not be kept and is refused. */
  readonly expires: boolean
}

/** {@link SendBody} as this server accepts it. */
export function createSendBody ({ microOps, expires }: SendBodyOptions): typeof SendBody {
  const { micro_op: anyMicroOp, ttl: anyTtl } = SendBody.properties
  const microOp = microOps === undefined
    ? anyMicroOp
    : Type.String({ enum: microOps, description: `one of ${microOps.join(', ')}`, examples: microOps.slice(0, 1) })
  const ttl = expires
    ? anyTtl
    : Type.Optional(Type.Unsafe<number>({ not: {}, description: 'left out: the broker is spoken to in MQTT 3.1.1, which has no expiry' }))
  const { additionalProperties, examples } = SendBody
  const options = { additionalProperties, ...(microOps === undefined && { examples }) }
  return Type.Object({ imei: Imei, micro_op: microOp, ttl }, options) as typeof SendBody
}

/** Most commands of one bulk request. */
const MAX_COMMANDS = 1000

/** The body of `POST /messaging/send/bulk`, as this server accepts it. */
export function createBulkBody (options: SendBodyOptions) {
  const commands = Type.Array(createSendBody(options), {
    minItems: 1,
    maxItems: MAX_COMMANDS,
    description: `a list of 1-${MAX_COMMANDS} commands; one that is not valid is answered in its place and keeps no other from being sent`
  })
  const examples = options.microOps === undefined ? [{ commands: [{ imei: '26372637216372637126376237', micro_op: 'push_down' }, { imei: 'gate-7', micro_op: 'push_up', ttl: 10 }] }] : undefined
  return Type.Object({ commands }, { additionalProperties: false, ...(examples !== undefined && { examples }) })
}

/** What became of one command of a bulk request. */
export const BulkResult = Type.Object({
  imei: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'As it was sent; null where it is not valid' }),
  status: Type.Integer({ description: 'What `POST /messaging/send` would have answered' }),
  detail: Type.String({ description: 'What was published where, or what went wrong, for people' }),
  code: Type.Optional(Type.String({ description: 'Stable name of the problem, for programs; not with 200 and 406' }))
})
export type BulkResult = Static<typeof BulkResult>

/** The answer to a bulk request: a result for each command, in their order. */
export const BulkAnswer = Type.Object({ results: Type.Array(BulkResult) })
export type BulkAnswer = Static<typeof BulkAnswer>

/** The two documented bodies: what was published where, or that nothing was. */
export const SendResult = Type.Object({ detail: Type.String() })
export type SendResult = Static<typeof SendResult>

/** {@link SendResult} where the caller waited for the answer of the device. */
export const RepliedResult = Type.Object({
  detail: Type.String(),
  reply: Type.Optional(Type.Unknown({ description: 'With `Prefer: wait`: what the device answered. JSON as JSON, anything else as a text' }))
})
