import { startEmbeddedBroker } from '../../src/mqtt/embedded-broker.js'
import { signToken } from '../../src/tokens.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import type { Scope } from '../helpers/scope.js'
import type { Case } from './cases/case.js'
import { judgeDeliveries, judgeExchange, type Exchange, type Finding, type KeyHistory } from './judge.js'
import { expectAnswer } from './model/expect.js'
import { readStream, valuesOf } from './model/http.js'
import type { Rules } from './model/rules.js'
import { judgeLog } from './judge-log.js'
import { startSubject, type SubjectName } from './subjects/subject.js'
import { startWitness } from './witness.js'
import { createLane } from './wire/lane.js'

/** What a run is played with. */
export interface StageOptions {
  readonly subject: SubjectName
  readonly rules: Rules
  /** Connections at once. */
  readonly lanes: number
}

export type Stage = Awaited<ReturnType<typeof setStage>>

/** Longer than any run, in seconds. */
const TOKEN_LIFE_S = 24 * 3600

/** Broker, subscriber and server, all of it running. */
export async function setStage (scope: Scope, { subject: name, rules, lanes: count }: StageOptions) {
  const broker = skipWithoutMosquitto === false ? await startMosquitto(scope) : await startEmbedded(scope)
  const witness = await startWitness(scope, broker.url)
  const start = () => startSubject(scope, { name, rules, brokerUrl: broker.url })
  let subject = await start()
  const { issuer: iss, audience: aud, scope: granted } = rules
  const token = await signToken({ secret: rules.secret, expiresInS: TOKEN_LIFE_S, claims: { sub: 'fence', iss, aud, scope: granted } })
  const keys: KeyHistory = new Set()
  let fences = 0

  /** Sends all cases, waits until everything that came of them was seen, and judges it. */
  async function play (cases: readonly Case[]): Promise<{ exchanges: Exchange[], findings: Finding[] }> {
    // The next try is not to suffer from the end of the last one.
    if (!subject.isAlive) subject = await start()
    const exchanges: Exchange[] = []
    const rest = cases.values()
    await Promise.all(Array.from({ length: count }, () => playLane(rest, exchanges)))
    const findings = exchanges.flatMap(judgeExchange)
    try {
      const id = await sendFence()
      const deliveries = await witness.takeUntil(id)
      findings.push(...judgeDeliveries(exchanges, deliveries, keys))
      // Lines are written together, ours the last.
      await subject.says(`"reqId":"${id}"`)
    } catch (error) {
      findings.push({ what: `after this the server is of no use: ${error instanceof Error ? error.message : String(error)}` })
      witness.forget()
    }
    if (!subject.isAlive) findings.push({ what: 'the server has ended' })
    const sentTokens = exchanges.flatMap(({ stream }) => stream.requests.flatMap(request => valuesOf(request, 'authorization')))
    findings.push(...judgeLog(subject.takeLog(), exchanges, [...sentTokens, token], rules.secret))
    return { exchanges, findings }
  }

  async function playLane (rest: Iterator<Case> & Iterable<Case>, exchanges: Exchange[]): Promise<void> {
    const lane = createLane(subject.port)
    for (const input of rest) {
      const stream = readStream(input.bytes)
      const expected = stream.requests.map(request => expectAnswer(request, rules, Date.now() / 1000))
      const hearing = await lane.send({
        bytes: input.bytes,
        cuts: input.cuts,
        methods: stream.requests.map(({ method }) => method),
        isLast: stream.end !== 'clean'
      })
      exchanges.push({ input, stream, expected, hearing })
      // Node stops reading at the end of a request that asks for another protocol; what it has read of the next one by then is lost.
      if (stream.requests.some(request => valuesOf(request, 'upgrade').length > 0)) lane.close()
    }
    lane.close()
  }

  /** A command that has to succeed: whatever was published before it has then come, too. */
  async function sendFence (): Promise<string> {
    fences += 1
    const id = `fence-${fences}`
    const response = await fetch(`http://127.0.0.1:${subject.port}/messaging/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ imei: id, micro_op: 'fence' })
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`a valid command is answered ${response.status} ${text}`)
    return id
  }

  return {
    play,
    measureMemory: () => subject.measureMemory()
  }
}

async function startEmbedded (scope: Scope): Promise<{ url: string }> {
  const broker = await startEmbeddedBroker(0)
  scope.teardown(() => broker.stop())
  return broker
}
