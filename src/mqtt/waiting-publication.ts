import { createPublication, type Command, type Publication, type PublicationOptions, type ReplyTo } from './publication.js'

/** The MQTT 5 properties of a PUBLISH that tell a device where to answer, and to what (MQTT 5, 3.3.2.3.5 and 3.3.2.3.6). */
interface ReplyProperties {
  responseTopic?: string
  correlationData?: Buffer
}

/** A publication whose sender waits for the answer of the device. */
export interface WaitingPublication extends Omit<Publication, 'expiresAtMs' | 'replyTo'> {
  readonly replyTo: ReplyTo
  /** As of a {@link Publication}; 0 from when its sender gave it up before it was written. */
  expiresAtMs: number
}

/** Makes a command ready to be published, asking for an answer to this topic. */
export function createWaitingPublication (command: Command, topic: string, options: PublicationOptions): WaitingPublication {
  const publication = createPublication(command, options)
  const { payload } = publication
  return {
    ...publication,
    payload: options.format === 'json' ? `${payload.slice(0, -1)},"reply_to":${JSON.stringify(topic)}}` : payload,
    replyTo: { topic, isWritten: false }
  }
}

/** Adds to a PUBLISH that is being written where the device is to answer, if anybody waits for that. */
export function askForReply (properties: ReplyProperties, { id, replyTo }: Publication): void {
  if (replyTo === undefined) return
  properties.responseTopic = replyTo.topic
  properties.correlationData = Buffer.from(id)
  replyTo.isWritten = true
}
