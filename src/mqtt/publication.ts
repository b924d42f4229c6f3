import type { Clock } from '../clock.js'
import type { PublishProperties } from './encode-publish.js'
import { createUuid } from '../uuid.js'

/** What a device gets: the bare operation, or a JSON document around it. */
export type PayloadFormat = 'text' | 'json'

/** One authorised command, as the route hands it over. */
export interface Command {
  readonly imei: string
  /** The Topic Name of its device: see `TopicTemplate`. */
  readonly topic: string
  readonly microOp: string
  /** Seconds, counted from receipt, in which the broker may start to deliver it. */
  readonly ttlS: number
  /** When the request was received, in milliseconds of {@link Clock.nowMs}. */
  readonly receivedAtMs: number
  /** Names the HTTP exchange; goes to the device as user property `request_id`. */
  readonly requestId: string
  /** W3C trace context of the caller, or with tracing our own, passed on as user property `traceparent`. */
  readonly traceparent?: string | undefined
  /** What goes with it, passed on as user property `tracestate`. */
  readonly tracestate?: string | undefined
}

/** A command made ready to be written, once, to one connection. */
export interface Publication {
  /** The command's own id: a UUIDv7 made here, never chosen by the caller. */
  readonly id: string
  readonly topic: string
  readonly payload: string
  /** MQTT 5 Content Type of the payload. */
  readonly contentType: string
  /** MQTT 5 User Properties. */
  readonly userProperties: Readonly<Record<string, string>>
  /** Monotonic milliseconds after which it must not be written any more. */
  readonly expiresAtMs: number
  /** Where the device is to answer to; undefined: nobody waits for that. */
  readonly replyTo?: ReplyTo | undefined
}

/** Where a device answers to, and whether its command is on its way. */
export interface ReplyTo {
  /** MQTT 5 Response Topic, and `reply_to` of a `json` payload. */
  readonly topic: string
  /** Whether the command was written to a connection. */
  isWritten: boolean
}

/** How commands become publications: the same for every command of a process. */
export interface PublicationOptions {
  readonly format: PayloadFormat
  readonly clock: Clock
}

/**
 * Makes a command ready to be published and gives it its id.
 * Times in a `json` payload are Unix seconds, rounded down, with `expires_at` = `issued_at` + `ttl`.
 */
export function createPublication (command: Command, { format, clock }: PublicationOptions, id = createUuid()): Publication {
  const userProperties: Record<string, string> = { id, request_id: command.requestId }
  if (command.traceparent !== undefined) userProperties.traceparent = command.traceparent
  if (command.tracestate !== undefined) userProperties.tracestate = command.tracestate
  return {
    id,
    topic: command.topic,
    payload: format === 'text' ? command.microOp : toJson(id, command, clock),
    contentType: format === 'text' ? 'text/plain' : 'application/json',
    userProperties,
    expiresAtMs: command.receivedAtMs + command.ttlS * 1000
  }
}

function toJson (id: string, command: Command, clock: Clock): string {
  const receivedAtWallMs = clock.wallMs() - (clock.nowMs() - command.receivedAtMs)
  const issuedAt = Math.floor(receivedAtWallMs / 1000)
  return JSON.stringify({
    id,
    imei: command.imei,
    micro_op: command.microOp,
    issued_at: issuedAt,
    expires_at: issuedAt + command.ttlS
  })
}

/** The properties with which a publication is written. @param expiryS Message Expiry Interval, in seconds */
export function propertiesOf ({ id, contentType, userProperties, replyTo }: Publication, expiryS: number): PublishProperties {
  return {
    messageExpiryInterval: expiryS,
    contentType,
    userProperties,
    responseTopic: replyTo?.topic,
    correlationData: replyTo === undefined ? undefined : id
  }
}
