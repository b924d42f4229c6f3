import { Type } from '@sinclair/typebox'
import { TOPIC_SEGMENT } from '../mqtt/topic.js'

/**
 * A device's identifier. The documented example has 26 digits, so it is not held to
 * the 15 of an IMEI; what counts is that it can stand in a topic.
 */
export const Imei = Type.String({
  pattern: TOPIC_SEGMENT.source,
  description: '1-64 of `0-9 A-Z a-z _ -`, in quotes: a JSON number above 2^53 would name another device',
  examples: ['26372637216372637126376237']
})

/** What an operation is written with. */
export const MICRO_OP = /^[0-9A-Za-z_.-]{1,64}$/

/** The operation a device is asked to do. */
export const MicroOp = Type.String({
  pattern: MICRO_OP.source,
  description: '1-64 of `0-9 A-Z a-z _ . -`',
  examples: ['push_down']
})

/** Seconds, counted from receipt, after which the broker must not start to deliver a command. */
export const Ttl = Type.Integer({
  minimum: 1,
  maximum: 86_400,
  description: 'a whole number of seconds, 1-86400, counted from receipt: after it the broker must not start to deliver the command',
  examples: [30]
})
