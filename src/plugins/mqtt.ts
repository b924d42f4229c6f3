import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import type { Config } from '../config/config.js'
import { ProblemError } from '../errors.js'
import { createCommandMetrics } from '../metrics/command-metrics.js'
import type { Metrics } from '../metrics/metrics.js'
import { createReplyMetrics } from '../metrics/reply-metrics.js'
import type { Outcome } from '../mqtt/outcome.js'
import { createPublication, type Command, type Publication } from '../mqtt/publication.js'
import { createPublisher } from '../mqtt/publisher.js'
import { keepConnected, type ConnectionKeeper } from '../mqtt/reconnect.js'
import { createReplies, type Waited } from '../mqtt/replies.js'
import { createReplySubscription } from '../mqtt/reply-subscription.js'
import { createWaitingPublication } from '../mqtt/waiting-publication.js'
import type { PublishSpan, Tracing } from '../tracing/tracing.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Publishes commands to the broker. */
    mqtt: ReturnType<typeof createMqtt>
  }
  interface FastifyRequest {
    /** The command that this request published, once its outcome is known. */
    sent: Sent | null
  }
}

export interface MqttOptions {
  readonly mqtt: Config['mqtt']
  readonly clock: Clock
}

/** A command with what was made of it and what became of it. */
export interface Sent {
  readonly publication: Publication
  readonly outcome: Outcome
  /** What its wait for the answer of the device came to; undefined: there was none. */
  readonly waited?: Waited
}

/** A command that was sent, and waits for the answer of its device. */
export interface SentWait {
  /** Resolves when the wait is over. Never rejects. */
  readonly sent: Promise<Sent>
  /** Nobody wants the answer any more: the wait gives up its place, and ends with the outcome of the command. */
  leave(): void
}

/** How long the broker may take over a polite end before the connection is cut, in milliseconds. */
const CLOSE_GRACE_MS = 1_000

/** Least time for a SUBACK, in milliseconds: it takes a round trip, and who lets no command queue has still to wait for that. */
const LEAST_SUBACK_MS = 1_000

/**
 * Decorates `fastify.mqtt`, connects when the server is ready and disconnects when it
 * closes, which is after the last request was answered. The server starts, and stays
 * up, without a broker.
 */
export default fp(async (fastify: FastifyInstance, options: MqttOptions) => {
  const mqtt = createMqtt(options, fastify.log, fastify.metrics, fastify.tracing)
  fastify.decorate('mqtt', mqtt)
  fastify.decorateRequest('sent', null)
  fastify.addHook('onReady', async () => { mqtt.start() })
  fastify.addHook('onClose', async () => { await mqtt.stop() })
}, { name: 'mqtt', dependencies: ['metrics', 'tracing'] })

function createMqtt ({ mqtt, clock }: MqttOptions, log: FastifyBaseLogger, metrics: Metrics | undefined, tracing: Tracing | undefined) {
  let keeper: ConnectionKeeper | undefined
  const state = new EventEmitter()
  // Keeps replicas apart: their answers, and a broker throws out the older of two clients with one identifier.
  const instance = randomBytes(6).toString('hex')
  const canWait = mqtt.protocolVersion === '5' || mqtt.payloadFormat === 'json'
  const lateListeners: Array<(sent: Sent) => void> = []
  const publisher = createPublisher({
    clock,
    publishTimeoutMs: mqtt.publishTimeoutMs,
    queueTimeoutMs: mqtt.queueTimeoutMs,
    maxInflight: mqtt.maxInflight,
    maxQueue: mqtt.maxQueue,
    onLateOutcome (publication, outcome) {
      if (publication.replyTo === undefined) tellLateOutcome({ publication, outcome })
      else replies.settleLate(publication, outcome)
    }
  })
  const isConnected = () => keeper?.isOpen === true
  const counted = metrics === undefined ? undefined : createCommandMetrics(metrics, { publisher, isConnected })
  const subscription = createReplySubscription({ filter: mqtt.replyTopic.filter(instance), timeoutMs: Math.max(mqtt.queueTimeoutMs, LEAST_SUBACK_MS), clock, log })
  const replies = createReplies({
    clock,
    maxWaiters: mqtt.maxWaiters,
    subscription,
    send: publisher.send,
    onReply (result) { countedReplies?.received(result) },
    onLate (waited) {
      if (waited.reply === undefined) tellLateOutcome(toSent(waited))
      else tellLateReply(toSent(waited))
    }
  })
  const countedReplies = metrics === undefined ? undefined : createReplyMetrics(metrics, () => replies.size)
  const templates = { topic: mqtt.topic.template, replyTopic: mqtt.replyTopic.template }
  const publicationOptions = { format: mqtt.payloadFormat, clock }

  /** Publishes a command, at most once. Never rejects. */
  async function send (command: Command): Promise<Sent> {
    const span = tracing?.startPublish(command, templates)
    const publication = createPublication(within(span, command), publicationOptions)
    const startedMs = counted === undefined && span === undefined ? 0 : clock.nowMs()
    const outcome = await publisher.send(publication)
    counted?.settled(outcome, clock.nowMs() - startedMs)
    span?.end(publication, outcome, clock.nowMs() - startedMs)
    return { publication, outcome }
  }

  /**
   * Publishes a command, at most once, and waits for the answer of its device.
   * @param waitS seconds, counted from receipt
   * @throws {ProblemError} `overloaded` (503) where too many wait; then nothing was published
   */
  function sendAndWait (command: Command, waitS: number): SentWait {
    if (replies.isFull) throw new ProblemError('overloaded', { headers: { 'retry-after': '1' } })
    const span = tracing?.startPublish(command, templates)
    const publication = createWaitingPublication(within(span, command), mqtt.replyTopic.build(instance, command.imei), publicationOptions)
    const { ended, leave } = replies.wait(publication, command.receivedAtMs + waitS * 1000)
    return {
      sent: ended.then(waited => {
        counted?.settled(waited.outcome, waited.outcomeMs)
        span?.end(publication, waited.outcome, waited.outcomeMs)
        if (waited.reply !== undefined) span?.receive(publication, waited.outcomeMs, waited.replyTraceparent)
        return toSent(waited)
      }),
      leave
    }
  }

  function tellLateOutcome (sent: Sent): void {
    const { publication: { id, topic }, outcome } = sent
    counted?.acknowledgedLate()
    log.warn({ id, topic, outcome }, 'a PUBACK came after the caller was answered 504')
    for (const listener of lateListeners) listener(sent)
  }

  function tellLateReply (sent: Sent): void {
    const { publication: { id, topic } } = sent
    log.info({ id, topic }, 'the reply of a device came after its caller was answered')
    for (const listener of lateListeners) listener(sent)
  }

  /** Gives up a command that has waited too long before it could be handed over: it was not sent, and counts as such. */
  function giveUp (command: Command): Sent {
    const outcome: Outcome = { kind: 'not_sent', reason: 'no_slot' }
    counted?.settled(outcome, 0)
    return { publication: createPublication(command, publicationOptions), outcome }
  }

  /** Has a function told of each command whose answer would be another by now: its PUBACK, or the reply of its device, came late. */
  function onLateOutcome (listener: (sent: Sent) => void): void {
    lateListeners.push(listener)
  }

  /** Begins to connect, and to connect again whenever the connection is lost. */
  function start (): void {
    if (mqtt.protocolVersion === '3.1.1') {
      log.warn('MQTT 3.1.1: a publish that the broker refuses may be answered 200, commands do not expire, and a ttl is refused')
      if (!canWait) log.warn('MQTT 3.1.1: Prefer: wait is ignored, as it needs MQTT_PAYLOAD=json')
    }
    keeper = keepConnected({
      ...mqtt,
      clientId: `${mqtt.clientId}-${instance}`,
      clock,
      log
    }, {
      onOpen (link) {
        publisher.open(link)
        subscription.open(link)
        counted?.connected()
        state.emit('connected')
      },
      onPuback: publisher.acknowledge,
      onSuback: subscription.acknowledge,
      onMessage: replies.receive,
      onClose () {
        publisher.close()
        subscription.close()
      }
    })
  }

  /** Waits until there is a connection, for as long as that takes. */
  async function whenConnected (): Promise<void> {
    if (!isConnected()) await once(state, 'connected')
  }

  /** Disconnects for good. */
  async function stop (): Promise<void> {
    replies.endAll()
    await keeper?.stop(CLOSE_GRACE_MS)
  }

  return {
    send,
    giveUp,
    sendAndWait,
    /** Ends every wait for the answer of a device, as if its time were over; from now on none is begun. */
    endWaits: replies.endAll,
    start,
    stop,
    whenConnected,
    onLateOutcome,
    /** Publishes that are written and not acknowledged, those already answered 504 included. */
    get inFlight () { return publisher.inFlight },
    /** How many callers wait for the answer of a device. */
    get waiters () { return replies.size },
    /** Most publishes that the broker is let to acknowledge at a time; 0 before the first connection. */
    get window () { return publisher.window },
    /** Whether a command sent now would be written. */
    get isConnected () { return isConnected() },
    /** Whether commands expire at the broker (MQTT 5 only). */
    get supportsExpiry () { return mqtt.protocolVersion === '5' },
    /** Whether a device can be told where to answer: by the properties of MQTT 5, or by a `json` payload. */
    canWait
  }
}

/** A command whose device is told of the span of its publish, where there is one. */
function within (span: PublishSpan | undefined, command: Command): Command {
  return span === undefined ? command : { ...command, traceparent: span.traceparent, tracestate: span.tracestate }
}

function toSent (waited: Waited): Sent {
  return { publication: waited.publication, outcome: waited.outcome, waited }
}
