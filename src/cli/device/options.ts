import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { ProtocolVersion } from '../../mqtt/connection.js'
import { parseClaims } from '../claims.js'
import { nameDevices } from './imeis.js'

/** What the command line asks for. */
export interface Options {
  readonly imeis: readonly string[]
  /** Undefined: that of the configuration. */
  readonly protocolVersion: ProtocolVersion | undefined
  readonly claims: Readonly<Record<string, string>>
  /** `{imei}` in them stands for that of each device. Undefined: those of the configuration. */
  readonly username: string | undefined
  readonly password: string | undefined
  /** See `ReplyTemplate`. Undefined: the usual one. */
  readonly reply: string | undefined
  /** Share of the commands that are answered, 0 to 1. */
  readonly replyRate: number
  /** Least and most milliseconds until an answer. */
  readonly replyDelayMs: readonly [number, number]
  /** Undefined: there are no spells offline. */
  readonly offline: { readonly everyMs: number, readonly forMs: number } | undefined
  /** Whether the session outlives its connections. */
  readonly isPersistent: boolean
  /** Whether each command is printed. */
  readonly prints: boolean
}

/** Most devices of one process. */
const MAX_COUNT = 10_000

/** Longest time that a timer of Node.js keeps, in milliseconds, halved: spells are spread around what is asked for. */
const MAX_MS = 2 ** 30

const DEFINITION = {
  count: { type: 'string', default: '1' },
  protocol: { type: 'string' },
  claim: { type: 'string', multiple: true, default: [] },
  username: { type: 'string' },
  password: { type: 'string' },
  reply: { type: 'string' },
  'reply-rate': { type: 'string', default: '1' },
  'reply-delay': { type: 'string', default: '0' },
  'offline-every': { type: 'string' },
  'offline-for': { type: 'string' },
  persistent: { type: 'boolean', default: false },
  print: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
} as const satisfies ParseArgsConfig['options']

/**
 * Reads the command line.
 * @returns undefined where it asks for help
 * @throws {Error} saying what is wrong with it
 */
export function readOptions (args: readonly string[]): Options | undefined {
  const { positionals: [name, ...more], values } = parseArgs({ args: [...args], allowPositionals: true, options: DEFINITION })
  if (values.help) return undefined
  if (name === undefined || more.length > 0) throw new Error('name one imei')
  const count = readNumber('count', values.count)
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) throw new Error(`--count must be a whole number, 1 to ${MAX_COUNT}`)
  const replyRate = readNumber('reply-rate', values['reply-rate'])
  if (replyRate > 1) throw new Error('--reply-rate must be a number, 0 to 1')
  if (values.username === undefined && values.password !== undefined) throw new Error('--password needs --username')
  return {
    imeis: nameDevices(name, count),
    protocolVersion: readProtocol(values.protocol),
    claims: parseClaims(values.claim),
    username: values.username,
    password: values.password,
    reply: values.reply,
    replyRate,
    replyDelayMs: readDelay(values['reply-delay']),
    offline: readOffline(values['offline-every'], values['offline-for']),
    isPersistent: values.persistent,
    prints: values.print || count === 1
  }
}

function readProtocol (text: string | undefined): ProtocolVersion | undefined {
  if (text !== undefined && text !== '5' && text !== '3.1.1') throw new Error('--protocol must be 5 or 3.1.1')
  return text
}

function readDelay (text: string): [number, number] {
  const [least = '', most = least, ...more] = text.split('-')
  const [leastMs, mostMs] = [readNumber('reply-delay', least), readNumber('reply-delay', most)]
  if (more.length > 0 || leastMs > mostMs || mostMs > MAX_MS) throw new Error('--reply-delay must be milliseconds, such as 50, or two such numbers, such as 50-200')
  return [leastMs, mostMs]
}

function readOffline (every: string | undefined, lasting: string | undefined): Options['offline'] {
  if (every === undefined) {
    if (lasting !== undefined) throw new Error('--offline-for needs --offline-every')
    return undefined
  }
  return { everyMs: readSeconds('offline-every', every), forMs: readSeconds('offline-for', lasting ?? '5') }
}

/** @returns milliseconds */
function readSeconds (name: string, text: string): number {
  const ms = readNumber(name, text) * 1000
  if (ms === 0 || ms > MAX_MS) throw new Error(`--${name} must be seconds, above 0 and at most ${Math.floor(MAX_MS / 1000)}`)
  return ms
}

/** A decimal number without a sign. */
function readNumber (name: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`--${name} must be a number, not ${text === '' ? 'empty' : text}`)
  return Number(text)
}
