import { isUtf8 } from 'node:buffer'
import { readMemberText } from '../json/member-text.js'

/** Largest payload of a reply, in bytes. */
export const MAX_REPLY_BYTES = 16_384

/** What a device answered, and to which command. */
export interface DeviceReply {
  /** The `id` of the command. */
  readonly id: string
  /** The answer as a JSON text: JSON as it came, anything else as a JSON string. */
  readonly json: string
}

/**
 * Reads what a device published to its reply topic.
 *
 * With MQTT 5 the Correlation Data is the `id` and the payload the answer. Without, as in MQTT 3.1.1,
 * the payload is `{"id": ..., "result": ...}`.
 * @returns undefined where it is neither, or no UTF-8
 */
export function readReply (payload: Buffer, correlationData: Buffer | undefined): DeviceReply | undefined {
  if (!isUtf8(payload)) return undefined
  const text = payload.toString()
  if (correlationData !== undefined) return { id: correlationData.toString('latin1'), json: isJson(text) ? text : JSON.stringify(text) }
  return readEnvelope(text)
}

/** How a JSON text begins (RFC 8259, sections 2 and 3). */
const JSON_START = /^[ \t\n\r]*[-[{"\dtfn]/

function isJson (text: string): boolean {
  // An error with its stack takes longer than all else that is done with a reply: plain text is told apart before.
  if (!JSON_START.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function readEnvelope (text: string): DeviceReply | undefined {
  try {
    const envelope: unknown = JSON.parse(text)
    if (typeof envelope !== 'object' || envelope === null || !('id' in envelope)) return undefined
    const { id } = envelope
    const json = readMemberText(text, 'result')
    return typeof id === 'string' && json !== undefined ? { id, json } : undefined
  } catch {
    return undefined
  }
}
