import type { FastifyBaseLogger } from 'fastify'
import { symbols } from 'pino'
import type { Claims } from './auth/claims.js'

/** What is told of a request when it was answered. Where there is nothing to tell, undefined. */
export interface AnsweredLine {
  readonly reqId: string
  /** The trace that the request is part of. */
  readonly traceId: string | undefined
  readonly method: string
  readonly path: string
  readonly status: number
  readonly durationMs: number
  /** Who asked. Its `sub`, and the client it was issued to, are told. */
  readonly user: Claims | undefined
  /** The command, checked by the schema of its route. */
  readonly command: { readonly imei: string, readonly micro_op: string } | undefined
  readonly topic: string | undefined
  readonly commandId: string | undefined
  readonly outcome: string | undefined
  readonly reason: string | undefined
  /** How many commands of a bulk request came to which outcome. */
  readonly commands: Readonly<Record<string, number>> | undefined
}

/** What is told of one command of a bulk request. Where there is nothing to tell, undefined. */
export interface CommandLine {
  readonly reqId: string
  readonly traceId: string | undefined
  readonly user: Claims
  /** Its place in the request, from 0. */
  readonly index: number
  /** Checked, as all that follows. */
  readonly imei: string | undefined
  readonly microOp: string | undefined
  readonly topic: string | undefined
  readonly commandId: string | undefined
  readonly outcome: string
  readonly reason: string | undefined
}

/**
 * Makes a function that writes one line of the log at level `info` for each answered request.
 *
 * There is one for every request, with a dozen members: pino's own way, which looks at each name and
 * each letter, was the dearest thing that the messenger does by itself. So pino is given another way to
 * write down just these lines; level, time, bindings and stream stay its own.
 */
export function createAnsweredLog (log: FastifyBaseLogger): (line: AnsweredLine) => void {
  return createLineLog(log, writeAnswered)
}

/** Makes a function that writes one line for each command of a bulk request, in the same cheap way. */
export function createCommandLog (log: FastifyBaseLogger): (line: CommandLine) => void {
  return createLineLog(log, writeCommand)
}

/** @param write the members of a line, each with a comma before it */
function createLineLog<T extends object> (log: FastifyBaseLogger, write: (line: T) => string): (line: T) => void {
  const child: FastifyBaseLogger = Object.create(log)
  function toJson (this: PinoState, line: T, _message: unknown, level: number, time: string): string {
    return `${this[symbols.lsCacheSym][level]}${time}${this[symbols.chindingsSym]}${write(line)}}\n`
  }
  Object.assign(child, { [symbols.asJsonSym]: toJson })
  return line => { child.info(line) }
}

/** What pino calls with itself as `this`: beside its bindings, it has the opening of a line for each level. */
interface PinoState {
  readonly [symbols.lsCacheSym]: Readonly<Record<number, string>>
  readonly [symbols.chindingsSym]: string
}

function writeAnswered (line: AnsweredLine): string {
  const { reqId, traceId, method, path, status, durationMs, user, command, topic, commandId, outcome, reason, commands } = line
  // What was checked, or is made here, has nothing that JSON would escape.
  return `,"reqId":"${reqId}","method":"${method}","path":${quotePath(path)},"status":${status},"durationMs":${oneDecimal(durationMs)}` +
    (traceId === undefined ? '' : `,"trace_id":"${traceId}"`) +
    (user === undefined ? '' : describeCaller(user)) +
    (command === undefined ? '' : `,"imei":"${command.imei}","micro_op":"${command.micro_op}"`) +
    (topic === undefined ? '' : `,"topic":${JSON.stringify(topic)}`) +
    (commandId === undefined ? '' : `,"commandId":"${commandId}"`) +
    (outcome === undefined ? '' : `,"outcome":"${outcome}"`) +
    (reason === undefined ? '' : `,"reason":"${reason}"`) +
    (commands === undefined ? '' : `,"commands":${JSON.stringify(commands)}`) +
    ',"msg":"answered"'
}

function writeCommand ({ reqId, traceId, user, index, imei, microOp, topic, commandId, outcome, reason }: CommandLine): string {
  return `,"reqId":"${reqId}","index":${index}` +
    (traceId === undefined ? '' : `,"trace_id":"${traceId}"`) +
    describeCaller(user) +
    (imei === undefined ? '' : `,"imei":"${imei}"`) +
    (microOp === undefined ? '' : `,"micro_op":"${microOp}"`) +
    (topic === undefined ? '' : `,"topic":${JSON.stringify(topic)}`) +
    (commandId === undefined ? '' : `,"commandId":"${commandId}"`) +
    `,"outcome":"${outcome}"` +
    (reason === undefined ? '' : `,"reason":"${reason}"`) +
    ',"msg":"command"'
}

/** A number with one decimal. Of whole numbers, which are quick to write. */
function oneDecimal (value: number): string {
  const tenths = Math.round(value * 10)
  return `${Math.trunc(tenths / 10)}.${tenths % 10}`
}

/** The path of the line before, as it is and as JSON: most requests are for the same. */
let lastPath = { path: '', json: '""' }

function quotePath (path: string): string {
  if (path !== lastPath.path) lastPath = { path, json: quote(path) }
  return lastPath.json
}

/** The same claims belong to many requests. */
const described = new WeakMap<Claims, string>()

function describeCaller (user: Claims): string {
  let text = described.get(user)
  if (text === undefined) {
    const client = clientOf(user)
    text = `,"sub":${quote(user.sub)}` + (client === undefined ? '' : `,"client_id":${quote(client)}`)
    described.set(user, text)
  }
  return text
}

/** Characters that would do something to the terminal on which the log is read; JSON leaves them as they are. */
const CONTROLS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Most characters of a text of somebody else's: a line with some of them is to be one write that no other process's comes between. */
const MAX_TEXT = 256

/** A text of somebody else's as JSON: its beginning where it is long. */
function quote (text: string): string {
  const told = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text
  return JSON.stringify(told).replace(CONTROLS, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The client that the token was issued to (RFC 9068, section 2.2), or as OpenID Connect names it. */
function clientOf ({ client_id: clientId, azp }: Claims): string | undefined {
  return [clientId, azp].find(client => typeof client === 'string')
}
