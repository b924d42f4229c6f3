import type { Command, Exchange } from './callers.js'
import type { Message, Publication, Sighting } from './recorder.js'

/** What callers, recorders and devices have seen. */
export interface Evidence {
  readonly commands: ReadonlyArray<Readonly<Command>>
  readonly publications: ReadonlyArray<Readonly<Publication>>
  readonly deliveries: readonly Sighting[]
}

/** Commands that broke a promise, by `imei`, and what there is to know beyond that. */
export interface Verdict {
  /** (a) answered as not sent, and yet written to a broker or delivered, or said to be sent by the replay of an answer that nobody got. */
  readonly sentThoughDenied: readonly string[]
  /** (b) answered 200 when no broker had acknowledged it yet, or none ever did. */
  readonly acceptedTooSoon: readonly string[]
  /** (c) written to a broker more than once, or delivered as two commands. */
  readonly publishedTwice: readonly string[]
  /** What was written or delivered, and belongs to no command or not on that topic, in words. */
  readonly strays: readonly string[]
  /** Acknowledged by the broker and answered 200, and yet not delivered: a promise that the broker broke. */
  readonly lostByBroker: readonly string[]
  /** Commands that were answered 200. */
  readonly accepted: number
  /** Commands that were delivered, each counted once however often the broker delivered it. */
  readonly delivered: number
  /** Deliveries beyond the first of each command. */
  readonly deliveredAgain: number
  /** Commands whose outcome was never known, or whose answer was none that a command can have. */
  readonly unanswered: readonly string[]
}

/**
 * Share of the commands that must be answered 200. What is refused cannot break a promise: a run of refusals finds
 * nothing and proves nothing. All that fails here fails one at a time, so that most commands have to get through.
 */
export const MIN_ACCEPTED_SHARE = 0.5

/** After any other status nothing was published (404: `no_subscriber`). */
const SENT_STATUSES: readonly number[] = [200, 404, 504]

/** Holds what was answered against what was seen. */
export function judge ({ commands, publications, deliveries }: Evidence): Verdict {
  const imeis = new Set(commands.map(({ imei }) => imei))
  const isOwn = ({ topic, imei }: Message) => imeis.has(imei) && topic === topicOf(imei)
  const own = deliveries.filter(isOwn)
  const published = groupByImei(publications)
  const delivered = groupByImei(own)
  const find = (isFound: (command: Readonly<Command>, written: readonly Publication[], ids: ReadonlySet<string>) => boolean) => commands
    .filter(command => isFound(command, published.get(command.imei) ?? [], idsOf(delivered.get(command.imei))))
    .map(({ imei }) => imei)
  return {
    sentThoughDenied: find((command, written, ids) => isSentThoughDenied(command, written.length > 0 || ids.size > 0)),
    acceptedTooSoon: find((command, written) => isAcceptedTooSoon(command, written)),
    publishedTwice: find((_command, written, ids) => written.length > 1 || ids.size > 1),
    strays: [
      ...publications.filter(message => !isOwn(message)).map(message => `written to ${describe(message)}`),
      ...deliveries.filter(message => !isOwn(message)).map(message => `delivered from ${describe(message)}`)
    ],
    lostByBroker: find(({ final }, written, ids) => final === 200 && ids.size === 0 && written.some(({ acknowledgedMs }) => acknowledgedMs !== undefined)),
    accepted: commands.filter(({ final }) => final === 200).length,
    delivered: delivered.size,
    deliveredAgain: own.length - delivered.size,
    unanswered: find(({ final }) => final === undefined || final === 'none' || final === 'other')
  }
}

/** Whether every promise was kept, and enough of them were made. @param sent how many commands there were */
export function passes ({ sentThoughDenied, acceptedTooSoon, publishedTwice, strays, unanswered, accepted }: Verdict, sent: number): boolean {
  const findings = [sentThoughDenied, acceptedTooSoon, publishedTwice, strays, unanswered]
  return findings.every(({ length }) => length === 0) && sent > 0 && accepted >= MIN_ACCEPTED_SHARE * sent
}

/** @param isSeen whether it was written or delivered */
function isSentThoughDenied ({ final, exchanges }: Readonly<Command>, isSeen: boolean): boolean {
  if (final === 406 && isSeen) return true
  if (exchanges.some(mayHavePublished)) return false
  // All of them said that they published nothing. A replay is what another one of them did.
  return isSeen || exchanges.some(({ isReplayed }) => isReplayed)
}

/**
 * Nothing is known of an exchange without an answer of ours: it may have published, also while later ones are answered 409 or 503.
 * A 409 published nothing, and excuses nothing: the exchange it speaks of is an earlier one, with an answer of its own or none.
 */
function mayHavePublished ({ status, isReplayed }: Exchange): boolean {
  return status === undefined || (!isReplayed && SENT_STATUSES.includes(status))
}

function isAcceptedTooSoon ({ exchanges }: Readonly<Command>, written: readonly Publication[]): boolean {
  const first = exchanges.find(({ status }) => status === 200)
  // The recorder notes a PUBACK before it passes it on, so no true 200 can be earlier.
  return first !== undefined && !written.some(({ acknowledgedMs }) => acknowledgedMs !== undefined && acknowledgedMs <= first.atMs)
}

/** Where the commands of a device belong: the default of MQTT_TOPIC, which the cluster does not set. */
function topicOf (imei: string): string {
  return `devices/${imei}/commands`
}

function describe ({ topic, imei, id }: Message): string {
  return `${topic}: imei "${imei}", id "${id}"`
}

function idsOf (deliveries: readonly Message[] = []): Set<string> {
  return new Set(deliveries.map(({ id }) => id))
}

function groupByImei<T extends { readonly imei: string }> (items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(item.imei)
    if (group === undefined) groups.set(item.imei, [item])
    else group.push(item)
  }
  return groups
}
