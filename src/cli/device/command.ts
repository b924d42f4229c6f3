/** The part of a PUBLISH that a command is read from. */
export interface Message {
  readonly payload: Buffer | string
  /** Of MQTT 5. */
  readonly properties?: {
    readonly responseTopic?: string
    readonly correlationData?: Buffer
    readonly userProperties?: Readonly<Record<string, unknown>>
  }
}

/** A command, as a device reads it from what the broker delivers. */
export interface ReceivedCommand {
  /** The command's own id; undefined: it came without, as text over MQTT 3.1.1 does. */
  readonly id: string | undefined
  readonly microOp: string
  /** Unix seconds after which it must not be executed; undefined: that is not said. */
  readonly expiresAt: number | undefined
  /** Where its answer goes; undefined: nobody waits for one. */
  readonly replyPath: {
    readonly topic: string
    /** MQTT 5 Correlation Data; undefined: the answer is to name the `id`. */
    readonly correlationData: Buffer | undefined
  } | undefined
}

/**
 * Reads a command in either payload format and of either MQTT version. What has no known
 * form is taken as text: a device cannot complain.
 */
export function readCommand ({ payload, properties }: Message): ReceivedCommand {
  const text = payload.toString()
  const document = readDocument(text)
  return {
    id: readString(document.id) ?? readString(properties?.userProperties?.id),
    microOp: readString(document.micro_op) ?? text,
    expiresAt: typeof document.expires_at === 'number' ? document.expires_at : undefined,
    replyPath: readReplyPath(properties, document)
  }
}

/**
 * Whether it is too late to execute a command. Whole seconds are compared, as `expires_at` is one that was
 * rounded down: a command is never thrown away within its `ttl`, and never executed a second after it.
 */
export function isLate ({ expiresAt }: ReceivedCommand, wallMs: number): boolean {
  return expiresAt !== undefined && Math.floor(wallMs / 1000) > expiresAt
}

function readReplyPath (properties: Message['properties'], document: Readonly<Record<string, unknown>>): ReceivedCommand['replyPath'] {
  const { responseTopic, correlationData } = properties ?? {}
  if (correlationData !== undefined && isTopic(responseTopic)) return { topic: responseTopic, correlationData }
  if (isTopic(document.reply_to)) return { topic: document.reply_to, correlationData: undefined }
  return undefined
}

/** Whether it can be published to: at any other a broker ends the connection [MQTT-3.3.2-2]. */
function isTopic (value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/[+#\0]/.test(value)
}

function readDocument (text: string): Readonly<Record<string, unknown>> {
  // Most commands are plain text, and the error that JSON.parse throws is dear where a thousand devices share a process.
  if (!text.trimStart().startsWith('{')) return {}
  try {
    const document: Readonly<Record<string, unknown>> = JSON.parse(text)
    return document
  } catch {
    return {}
  }
}

function readString (value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
