import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import type { Config } from '../config/config.js'
import { createCommandMetrics } from '../metrics/command-metrics.js'
import type { Metrics } from '../metrics/metrics.js'
import type { Outcome } from '../mqtt/outcome.js'
import { createPublication, type Command, type Publication } from '../mqtt/publication.js'
import { createPublisher } from '../mqtt/publisher.js'
import { keepConnected, type ConnectionKeeper } from '../mqtt/reconnect.js'

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
}

/** How long the broker may take over a polite end before the connection is cut, in milliseconds. */
const CLOSE_GRACE_MS = 1_000

/**
 * Decorates `fastify.mqtt`, connects when the server is ready and disconnects when it
 * closes, which is after the last request was answered. The server starts, and stays
 * up, without a broker.
 */
export default fp(async (fastify: FastifyInstance, options: MqttOptions) => {
  const mqtt = createMqtt(options, fastify.log, fastify.metrics)
  fastify.decorate('mqtt', mqtt)
  fastify.decorateRequest('sent', null)
  fastify.addHook('onReady', async () => { mqtt.start() })
  fastify.addHook('onClose', async () => { await mqtt.stop() })
}, { name: 'mqtt', dependencies: ['metrics'] })

function createMqtt ({ mqtt, clock }: MqttOptions, log: FastifyBaseLogger, metrics: Metrics | undefined) {
  let keeper: ConnectionKeeper | undefined
  const state = new EventEmitter()
  const lateListeners: Array<(sent: Sent) => void> = []
  const publisher = createPublisher({
    clock,
    publishTimeoutMs: mqtt.publishTimeoutMs,
    queueTimeoutMs: mqtt.queueTimeoutMs,
    maxInflight: mqtt.maxInflight,
    maxQueue: mqtt.maxQueue,
    onLateOutcome (publication, outcome) {
      counted?.acknowledgedLate()
      log.warn({ id: publication.id, topic: publication.topic, outcome }, 'a PUBACK came after the caller was answered 504')
      for (const listener of lateListeners) listener({ publication, outcome })
    }
  })
  const isConnected = () => keeper?.isOpen === true
  const counted = metrics === undefined ? undefined : createCommandMetrics(metrics, { publisher, isConnected })
  const publicationOptions = { format: mqtt.payloadFormat, clock }

  /** Publishes a command, at most once. Never rejects. */
  async function send (command: Command): Promise<Sent> {
    const publication = createPublication(command, publicationOptions)
    const startedMs = counted === undefined ? 0 : clock.nowMs()
    const outcome = await publisher.send(publication)
    counted?.settled(outcome, clock.nowMs() - startedMs)
    return { publication, outcome }
  }

  /** Gives up a command that has waited too long before it could be handed over: it was not sent, and counts as such. */
  function giveUp (command: Command): Sent {
    const outcome: Outcome = { kind: 'not_sent', reason: 'no_slot' }
    counted?.settled(outcome, 0)
    return { publication: createPublication(command, publicationOptions), outcome }
  }

  /** Has a function told what became after all of each command that was answered `unknown`, where that becomes known. */
  function onLateOutcome (listener: (sent: Sent) => void): void {
    lateListeners.push(listener)
  }

  /** Begins to connect, and to connect again whenever the connection is lost. */
  function start (): void {
    if (mqtt.protocolVersion === '3.1.1') {
      log.warn('MQTT 3.1.1: a publish that the broker refuses may be answered 200, commands do not expire, and a ttl is refused')
    }
    keeper = keepConnected({
      ...mqtt,
      // The suffix keeps replicas apart: a broker throws out the older of two clients with one identifier.
      clientId: `${mqtt.clientId}-${randomBytes(6).toString('hex')}`,
      clock,
      log
    }, {
      onOpen (link) {
        publisher.open(link)
        counted?.connected()
        state.emit('connected')
      },
      onPuback: publisher.acknowledge,
      onClose: publisher.close
    })
  }

  /** Waits until there is a connection, for as long as that takes. */
  async function whenConnected (): Promise<void> {
    if (!isConnected()) await once(state, 'connected')
  }

  /** Disconnects for good. */
  async function stop (): Promise<void> {
    await keeper?.stop(CLOSE_GRACE_MS)
  }

  return {
    send,
    giveUp,
    start,
    stop,
    whenConnected,
    onLateOutcome,
    /** Publishes that are written and not acknowledged, those already answered 504 included. */
    get inFlight () { return publisher.inFlight },
    /** Most publishes that the broker is let to acknowledge at a time; 0 before the first connection. */
    get window () { return publisher.window },
    /** Whether a command sent now would be written. */
    get isConnected () { return isConnected() },
    /** Whether commands expire at the broker (MQTT 5 only). */
    get supportsExpiry () { return mqtt.protocolVersion === '5' }
  }
}
