import type { NotSentReason, Outcome, UnknownReason } from '../mqtt/outcome.js'
import type { Publisher } from '../mqtt/publisher.js'
import type { Metrics } from './metrics.js'

/** What is read when the metrics are scraped. */
export interface MqttReadings {
  readonly publisher: Pick<Publisher, 'inFlight' | 'waiting'>
  /** Whether there is a connection to the broker. */
  isConnected(): boolean
}

/** Counts what becomes of commands and of the broker connection; the publisher's own figures are read at a scrape. */
export function createCommandMetrics (metrics: Metrics, { publisher, isConnected }: MqttReadings) {
  const commands = metrics.counter('messenger_commands_total', 'Commands, by what became of them', ['outcome', 'reason'])
  const accepted = commands({ outcome: 'accepted', reason: '' })
  const notSent = (reason: NotSentReason) => commands({ outcome: 'not_sent', reason })
  const unknown = (reason: UnknownReason) => commands({ outcome: 'unknown', reason })
  // Written out, so that a reason that is added must be added here.
  const notSentFor: Readonly<Record<NotSentReason, typeof accepted>> = {
    not_connected: notSent('not_connected'),
    no_slot: notSent('no_slot'),
    expired: notSent('expired'),
    too_large: notSent('too_large'),
    no_reply_topic: notSent('no_reply_topic'),
    refused: notSent('refused')
  }
  const unknownFor: Readonly<Record<UnknownReason, typeof accepted>> = {
    timed_out: unknown('timed_out'),
    connection_lost: unknown('connection_lost')
  }

  const duration = metrics.durations<'outcome'>('messenger_publish_duration_seconds',
    'From the hand-over of a command to the publisher, its time in the queue included, to its outcome')
  const durations: Readonly<Record<Outcome['kind'], ReturnType<typeof duration>>> = {
    accepted: duration({ outcome: 'accepted' }),
    not_sent: duration({ outcome: 'not_sent' }),
    unknown: duration({ outcome: 'unknown' })
  }

  const latePubacks = metrics.counter('messenger_late_pubacks_total',
    'PUBACKs that came after the outcome had been given as unknown')({})
  const connections = metrics.counter('messenger_broker_connections_total',
    'Connections that a broker accepted, the first one included')({})
  metrics.gauge('messenger_broker_connected', 'Whether there is a connection to a broker: 1 or 0; with WORKERS, how many workers have one', () => Number(isConnected()))
  metrics.gauge('messenger_publishes_in_flight',
    'Publishes that are written and not acknowledged, those already given as unknown included', () => publisher.inFlight)
  metrics.gauge('messenger_publishes_waiting', 'Commands that wait for a slot of the window', () => publisher.waiting)

  return {
    /** The outcome of a command is known, so many milliseconds after it was handed to the publisher. */
    settled (outcome: Outcome, durationMs: number): void {
      counterOf(outcome).inc()
      durations[outcome.kind].observe(durationMs / 1000)
    },
    /** A PUBACK came after its command had been given as unknown. */
    acknowledgedLate (): void { latePubacks.inc() },
    /** A broker accepted a connection. */
    connected (): void { connections.inc() }
  }

  function counterOf (outcome: Outcome): typeof accepted {
    switch (outcome.kind) {
      case 'accepted': return accepted
      case 'not_sent': return notSentFor[outcome.reason]
      case 'unknown': return unknownFor[outcome.reason]
    }
  }
}
