import { checkAnswer } from './check-answer.js'
import type { Case } from './cases/case.js'
import type { Delivery } from './witness.js'
import type { Expectation, Layer } from './model/expect.js'
import type { Stream } from './model/http.js'
import type { Answer } from './wire/answers.js'
import type { Hearing } from './wire/lane.js'

/** One case: what was sent, what it should come to, and what came of it. */
export interface Exchange {
  readonly input: Case
  readonly stream: Stream
  /** For each request of the stream. */
  readonly expected: readonly Expectation[]
  readonly hearing: Hearing
}

/** An answer with what it should have been; without where more came than requests were understood. */
export interface Pair {
  readonly answer: Answer
  readonly method: string | undefined
  readonly expected: Expectation | undefined
}

/** The answers of an exchange beside their requests. */
export function pairsOf ({ stream, expected, hearing }: Exchange): Pair[] {
  return hearing.answers.map((answer, index) => ({ answer, method: stream.requests[index]?.method, expected: expected[index] }))
}

/** Something that is wrong, and the case it was found in; without, where it cannot be told. */
export interface Finding {
  readonly what: string
  readonly input?: Case
}

/** What is wrong with the answers of one exchange, taken alone. */
export function judgeExchange (exchange: Exchange): Finding[] {
  const findings = [...judgeCount(exchange), ...pairsOf(exchange).flatMap(pair => checkAnswer(pair, exchange.stream.end))]
  return findings.map(what => ({ what, input: exchange.input }))
}

/** The layers that answer before the body was read. */
const WITHOUT_BODY: readonly Layer[] = ['parser', 'route', 'auth', 'media type', 'size', 'public']

/** Each request has its answer, and nothing else comes. */
function judgeCount ({ stream, expected, hearing: { answers, rest, fate } }: Exchange): string[] {
  if (fate === 'silent') return ['there is no answer, or no end of the connection, in time']
  // Whoever is cut off may find half of an answer; and what is wrong with a HEAD is answered with a body.
  const mayHaveRest = stream.end === 'debatable' || (stream.end === 'broken' && (fate === 'reset' || stream.requests.at(-1)?.method === 'HEAD'))
  if (rest !== '' && !mayHaveRest) return [`what came is no HTTP/1.1: ${JSON.stringify(rest.slice(0, 200))}`]
  if (stream.end === 'clean' && answers.length > expected.length) return ['there is an answer to nothing']
  // What is broken is answered once, by whoever finds it.
  if (stream.end === 'broken' && answers.length > expected.length + 1) return ['there is a second answer to what is no request']
  const [next] = expected.slice(answers.length)
  // Who has the connection closed, and is answered while still writing, may be reset before the answer is read (RFC 9112, section 9.6).
  if (fate === 'reset' && next !== undefined && WITHOUT_BODY.includes(next.layer)) return []
  const mayEnd = stream.end !== 'clean' || answers.some(({ headers }) => headers.get('connection') === 'close')
  if (answers.length < expected.length && !mayEnd && !expected.some(({ maySayNothing }) => maySayNothing)) {
    return [`only ${answers.length} of ${expected.length} requests were answered (${fate})`]
  }
  return []
}

/** Seconds that a command has where it does not say. */
const DEFAULT_TTL_S = 30

/** Seconds that a publish may take on a busy machine. */
const SLOW_S = 15

/** Answers with 200 by their `Idempotency-Key`, over a whole run. */
export type KeyHistory = Set<string>

/**
 * Holds what was published against what was answered: one publish for each 200 that is no
 * replay, with its topic and its payload, and none for anything else.
 */
export function judgeDeliveries (exchanges: readonly Exchange[], deliveries: readonly Delivery[], keys: KeyHistory): Finding[] {
  const left = new Map<string, Delivery[]>()
  for (const delivery of deliveries) left.set(delivery.requestId, [...left.get(delivery.requestId) ?? [], delivery])
  const findings: Finding[] = []
  for (const exchange of exchanges) {
    for (const { answer, expected } of pairsOf(exchange)) {
      const told = toldBy(answer)
      if (told === undefined || answer.headers.get('idempotency-replayed') === 'true') continue
      const id = answer.headers.get('x-request-id') ?? ''
      // Several callers may have chosen the same id.
      const candidates = left.get(id) ?? []
      const at = candidates.findIndex(({ payload, topic }) => payload === told[0] && topic === told[1])
      const [delivery] = candidates.splice(Math.max(at, 0), 1)
      const wrong = checkDelivery(told, delivery, expected, appliedWaitS(answer))
      if (expected?.key !== undefined && keys.has(expected.key)) wrong.push(`published again with the key ${expected.key}`)
      if (expected?.key !== undefined) keys.add(expected.key)
      findings.push(...wrong.map(what => ({ what: `200 (${id}): ${what}`, input: exchange.input })))
    }
  }
  return [...findings, ...judgeStrays(exchanges, [...left.values()].flat())]
}

/** Payload and topic that an answer says were published. */
function toldBy ({ status, body }: Answer): [string, string] | undefined {
  const [, payload, topic] = (status === 200 ? /^\{"detail":"Send `(.*)` to topic `(.*?)`"(?:,"reply":"\w+")?\}$/.exec(body) : null) ?? []
  return payload === undefined || topic === undefined ? undefined : [payload, topic]
}

/** How long the reply of the device was waited for, as the answer has it: then that is the `ttl`, where none is asked for. */
function appliedWaitS ({ headers }: Answer): number | undefined {
  const [, seconds] = /^wait=(\d+)$/.exec(headers.get('preference-applied') ?? '') ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

/** What is wrong with the publish that a 200 tells of. */
function checkDelivery ([payload, topic]: [string, string], delivery: Delivery | undefined, expected: Expectation | undefined, waitS: number | undefined): string[] {
  if (delivery === undefined) return ['nothing was published for it']
  const findings: string[] = []
  if (delivery.payload !== payload || delivery.topic !== topic) findings.push(`it tells of ${payload} to ${topic}, published was ${delivery.payload} to ${delivery.topic}`)
  if (delivery.retain) findings.push('published as retained')
  if (expected?.command === undefined) return findings
  const { ttl = waitS ?? DEFAULT_TTL_S } = expected.command
  const { expiryS = Infinity } = delivery
  if (expiryS > ttl || expiryS < ttl - SLOW_S) findings.push(`published with an expiry of ${expiryS} s, asked for was ${ttl} s`)
  return findings
}

/** A command may have been published for a request that was whole, and whose caller then broke the connection. */
function judgeStrays (exchanges: readonly Exchange[], strays: readonly Delivery[]): Finding[] {
  const broken = exchanges.filter(({ stream }) => stream.end !== 'clean')
  const unanswered = broken.flatMap(({ expected, hearing }) => expected.slice(hearing.answers.length))
  // Where nobody can say how many requests there were, there were at most as many as there are methods.
  const debatable = broken.filter(({ stream }) => stream.end === 'debatable')
  let unknown = debatable.reduce((sum, { input, hearing }) => sum + Math.max(0, input.bytes.split('POST').length - 1 - hearing.answers.length), 0)
  return strays.flatMap(({ requestId, topic, payload }) => {
    const at = unanswered.findIndex(({ command }) => command !== undefined && topic === `devices/${command.imei}/commands` && payload === command.microOp)
    if (at !== -1) unanswered.splice(at, 1)
    else if (unknown > 0) unknown -= 1
    else return [{ what: `published without a 200: ${payload} to ${topic} (${requestId})` }]
    return []
  })
}
