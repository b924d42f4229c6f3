/** Why a command can never reach its device. */
export type NotSentReason =
  /** no connection to a broker */
  | 'not_connected'
  /** no slot of the window came free in time, or the queue is full */
  | 'no_slot'
  /** the command's `ttl` was used up before it could be written */
  | 'expired'
  /** larger than the Maximum Packet Size of the broker */
  | 'too_large'
  /** the broker refused the subscription to the topic of the reply that was to be waited for */
  | 'no_reply_topic'
  /** the broker answered with a PUBACK reason code of 0x80 or more */
  | 'refused'

/** Why nobody can tell what became of a command. */
export type UnknownReason =
  /** no PUBACK within the publish time-out */
  | 'timed_out'
  /** the connection ended before a PUBACK */
  | 'connection_lost'

/** What became of one command: exactly one of the three, decided once. */
export type Outcome =
  /** The broker acknowledged the publish with a PUBACK reason code under 0x80. */
  | { readonly kind: 'accepted', readonly noSubscribers: boolean }
  /** It was never written, or the broker refused it. `reasonCode` goes with `refused`. */
  | { readonly kind: 'not_sent', readonly reason: Exclude<NotSentReason, 'refused'> }
  | { readonly kind: 'not_sent', readonly reason: 'refused', readonly reasonCode: number }
  /** It was written, and no PUBACK came. */
  | { readonly kind: 'unknown', readonly reason: UnknownReason }
