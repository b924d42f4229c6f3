import { createUnguessableUuid } from '../uuid.js'
import { createPublication, type Command, type Publication, type PublicationOptions, type ReplyTo } from './publication.js'

/** A publication whose sender waits for the answer of the device. */
export interface WaitingPublication extends Omit<Publication, 'expiresAtMs' | 'replyTo'> {
  readonly replyTo: ReplyTo
  /** As of a {@link Publication}; 0 from when its sender gave it up before it was written. */
  expiresAtMs: number
}

/** Makes a command ready to be published, asking for an answer to this topic, which proves by the id that the command was heard. */
export function createWaitingPublication (command: Command, topic: string, options: PublicationOptions): WaitingPublication {
  const publication = createPublication(command, options, createUnguessableUuid())
  const { payload } = publication
  return {
    ...publication,
    payload: options.format === 'json' ? `${payload.slice(0, -1)},"reply_to":${JSON.stringify(topic)}}` : payload,
    replyTo: { topic, isWritten: false }
  }
}

/** Notes that a publication was written, if anybody waits for its reply: from then on its device may answer. */
export function markWritten ({ replyTo }: Publication): void {
  if (replyTo !== undefined) replyTo.isWritten = true
}
