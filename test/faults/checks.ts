import { topicOf, type Case, type Evidence } from './evidence.js'
import type { Answer } from './client.js'
import type { FaultWindow } from './timeline.js'

/** What went wrong, in words; undefined where nothing did. */
export type Finding = string | undefined

/** From here on a PUBACK reason code is a refusal (MQTT 5, 3.4.2.1). */
const FIRST_REFUSAL = 0x80

/** The broker has nobody to deliver it to (MQTT 5, 3.4.2.1). */
const NO_MATCHING_SUBSCRIBERS = 0x10

/** How late a timer of the server, and the suite's own look at its answer, may be on a busy machine, in milliseconds. */
const LATE_MS = 150

/** Kind of a fault after which a caller may go without an answer. */
export const SERVER_KILL = 'server-kill'

/** The checks of each command. */
export const PER_COMMAND = {
  '(a) answered 406, yet published': publishedAfter406,
  '(b) published more than once': publishedTwice,
  '(c) answered 200, never acknowledged': neverAcknowledged,
  'answered 200 before a PUBACK could be heard': tooEarly,
  'answered anything but 200, 406 or 504 as documented': answeredWrongly,
  '504 outside of every window of a fault': unexplained504,
  'published by a server that was started afterwards': publishedByTheNextServer,
  'recorder and subscriber contradict each other': contradiction
} as const satisfies Readonly<Record<string, (one: Case, evidence: Evidence) => Finding>>

function publishedAfter406 ({ answer, publications, deliveries }: Case): Finding {
  if (answer.status !== 406) return undefined
  if (deliveries.length > 0) return 'and delivered'
  // What the broker refused can never reach a device: 406 is right.
  const written = publications.filter(({ reasonCode }) => reasonCode === undefined || reasonCode < FIRST_REFUSAL)
  return written.length > 0 ? `over connection ${written.map(({ connection }) => connection).join(' and ')}` : undefined
}

function publishedTwice ({ publications, deliveries }: Case): Finding {
  if (publications.length <= 1 && deliveries.length <= 1) return undefined
  return `over connections ${publications.map(({ connection }) => connection).join(', ')}; delivered ${deliveries.length} x`
}

function neverAcknowledged ({ answer, publications }: Case): Finding {
  const isAcknowledged = publications.some(({ reasonCode }) => reasonCode !== undefined && reasonCode < FIRST_REFUSAL)
  return answer.status === 200 && !isAcknowledged ? `published ${publications.length} x` : undefined
}

function tooEarly ({ answer, publications }: Case): Finding {
  if (answer.status !== 200 || publications.some(({ heardAtMs }) => heardAtMs !== undefined && heardAtMs <= answer.answeredAtMs)) return undefined
  return `answered at ${answer.answeredAtMs.toFixed()} ms, heard at ${publications.map(({ heardAtMs }) => heardAtMs?.toFixed() ?? 'no time').join(', ')}`
}

function answeredWrongly ({ answer }: Case, { windows }: Evidence): Finding {
  const { status, body } = answer
  if (typeof status === 'string') {
    const isKilled = windows.some(window => window.kinds.includes(SERVER_KILL) && covers(window, answer.answeredAtMs))
    return isKilled ? undefined : `no answer: ${status}`
  }
  return isDocumented(answer) ? undefined : `${status} ${body}`
}

/** Whether status and body are one of the three that a command may get. */
function isDocumented (answer: Answer): boolean {
  switch (answer.status) {
    case 200: return answer.body === `{"detail":"Send \`push_down\` to topic \`${topicOf(answer)}\`"}`
    case 406: return answer.body === '{"detail":"Somthing went wrong"}'
    case 504: return answer.body.includes('"code":"delivery_unknown"')
    default: return false
  }
}

function unexplained504 ({ answer }: Case, { windows }: Evidence): Finding {
  if (answer.status !== 504 || windows.some(window => covers(window, answer.answeredAtMs, LATE_MS))) return undefined
  return `sent at ${answer.sentAtMs.toFixed()} ms, answered at ${answer.answeredAtMs.toFixed()} ms`
}

function publishedByTheNextServer ({ answer, publications }: Case, { restartsMs }: Evidence): Finding {
  const restartMs = restartsMs.find(atMs => atMs > answer.answeredAtMs)
  if (restartMs === undefined || publications.every(({ atMs }) => atMs < restartMs)) return undefined
  return `${answer.status}, sent at ${answer.sentAtMs.toFixed()} ms, server started at ${restartMs.toFixed()} ms`
}

function contradiction ({ publications, deliveries }: Case, { rules }: Evidence): Finding {
  if (deliveries.length > 0 && publications.length === 0) return 'delivered, but not recorded'
  const isDeliverable = publications.some(({ reasonCode }) => {
    return reasonCode !== undefined && reasonCode < FIRST_REFUSAL && reasonCode !== NO_MATCHING_SUBSCRIBERS
  })
  return rules.brokerLives && isDeliverable && deliveries.length === 0 ? 'acknowledged, but not delivered' : undefined
}

/** Whether a window is open at a moment, or was up to `lateMs` before. */
export function covers ({ startMs, endMs }: FaultWindow, atMs: number, lateMs = 0): boolean {
  return atMs >= startMs && atMs <= endMs + lateMs
}
