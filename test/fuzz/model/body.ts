import type { Rules } from './rules.js'

/** A command that a body asks for. */
export interface Command {
  readonly imei: string
  readonly microOp: string
  /** Seconds. */
  readonly ttl: number | undefined
}

/** Reads a body as a command, or as the answers that are right for it. Latin-1: one character for each byte. */
export function readCommand (bytes: string, rules: Rules): Command | readonly string[] {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    // Not even a text. What takes its place may be in a string, where it only makes the string wrong.
    return ['400 invalid_json', '400 invalid_body']
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return ['400 invalid_json']
  }
  if (hasDuplicates(text)) return ['400 invalid_json']
  return toCommand(value, rules) ?? ['400 invalid_body']
}

function toCommand (value: unknown, { microOps }: Rules): Command | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const members = new Map<string, unknown>(Object.entries(value))
  const [imei, microOp, ttl] = [members.get('imei'), members.get('micro_op'), members.get('ttl')]
  if ([...members.keys()].some(name => !['imei', 'micro_op', 'ttl'].includes(name))) return undefined
  if (typeof imei !== 'string' || !/^[\w-]{1,64}$/.test(imei)) return undefined
  if (typeof microOp !== 'string' || !/^[\w.-]{1,64}$/.test(microOp)) return undefined
  if (microOps !== undefined && !microOps.includes(microOp)) return undefined
  if (!members.has('ttl')) return { imei, microOp, ttl: undefined }
  return Number.isInteger(ttl) && Number(ttl) >= 1 && Number(ttl) <= 86_400 ? { imei, microOp, ttl: Number(ttl) } : undefined
}

/** One token of a JSON text that is known to be valid: a string, or one of the characters that make its structure. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

/** Whether an object of a valid JSON text has a name twice. */
function hasDuplicates (text: string): boolean {
  const open: Array<Set<unknown>> = []
  let lastString = ''
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ':') lastString = token
    else {
      const names = open.at(-1)
      const name: unknown = JSON.parse(lastString)
      if (names?.has(name) === true) return true
      names?.add(name)
    }
  }
  return false
}
