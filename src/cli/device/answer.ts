import type { ReceivedCommand } from './command.js'

/** Says whose answer it is, so that a caller who gets another's can tell. */
export const DEFAULT_REPLY = '{"ok":true,"imei":"{imei}","micro_op":"{micro_op}"}'

/** One message that answers a command. */
export interface Answer {
  readonly topic: string
  readonly payload: string
  /** MQTT 5; undefined: the payload names the command itself. */
  readonly correlationData: Buffer | undefined
  readonly contentType: string
}

/** What a device answers; `{imei}`, `{micro_op}` and `{id}` stand for those of the command. */
export interface ReplyTemplate {
  readonly text: string
  /** Whether it is a JSON text. */
  readonly isJson: boolean
}

/** Reads a template, once for all answers. */
export function readTemplate (text: string): ReplyTemplate {
  return { text, isJson: parsesAsJson(text) }
}

/**
 * Makes the answer to a command, in the way in which it asks for one.
 *
 * With a Response Topic (MQTT 5) the answer is the payload, and the Correlation Data of the command goes back
 * with it. With `reply_to` in its payload the answer is `{"id", "result"}`, where the result is JSON if the
 * answer is, otherwise text.
 * @returns undefined where it asks for none
 */
export function createAnswer ({ text, isJson }: ReplyTemplate, imei: string, command: ReceivedCommand): Answer | undefined {
  const { replyPath } = command
  if (replyPath === undefined) return undefined
  const result = fillIn(text, { imei, micro_op: command.microOp, id: command.id ?? '' }, isJson)
  if (replyPath.correlationData === undefined) {
    const payload = `{"id":${JSON.stringify(command.id ?? null)},"result":${isJson ? result : JSON.stringify(result)}}`
    return { topic: replyPath.topic, payload, correlationData: undefined, contentType: 'application/json' }
  }
  return { ...replyPath, payload: result, contentType: isJson ? 'application/json' : 'text/plain' }
}

/** In JSON a placeholder can only stand in a string: what is put there must stay within it. */
function fillIn (template: string, values: Readonly<Record<string, string>>, isJson: boolean): string {
  return template.replaceAll(/\{(imei|micro_op|id)\}/g, (_, name: string) => {
    const value = String(values[name])
    return isJson ? JSON.stringify(value).slice(1, -1) : value
  })
}

function parsesAsJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
