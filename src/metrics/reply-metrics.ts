import type { Metrics } from './metrics.js'

/** What became of a message on a reply topic. All but `answered` are dropped. */
export const REPLY_RESULTS = [
  /** it is the answer that a caller waited for */
  'answered',
  /** its caller had been answered, or had gone, without it */
  'late',
  /** its command was answered before */
  'duplicate',
  /** it is the answer to the command of another device */
  'forged',
  /** its `id` is of no command that is remembered */
  'unknown',
  /** over 16 KiB */
  'too_large',
  /** neither Correlation Data nor an object with `id` and `result`, or no UTF-8 */
  'malformed'
] as const
export type ReplyResult = typeof REPLY_RESULTS[number]

/** Counts replies, and reads how many callers wait for one when the metrics are scraped. */
export function createReplyMetrics (metrics: Metrics, readWaiters: () => number) {
  const replies = metrics.counter('messenger_replies_total', 'Messages on the reply topics, by what became of them', ['result'])
  const series = new Map(REPLY_RESULTS.map(result => [result, replies({ result })]))
  metrics.gauge('messenger_waiters', 'Callers that wait for the reply of a device', readWaiters)

  return {
    /** A message came. */
    received (result: ReplyResult): void { series.get(result)?.inc() }
  }
}
