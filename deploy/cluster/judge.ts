import type { Command } from './callers.js'
import type { Delivery } from './devices.js'
import type { Publication } from './recorder.js'

/** What callers, recorders and devices have seen. */
export interface Evidence {
  readonly commands: ReadonlyArray<Readonly<Command>>
  readonly publications: ReadonlyArray<Readonly<Publication>>
  readonly deliveries: readonly Delivery[]
}

/** Commands that broke a promise, by `imei`, and what there is to know beyond that. */
export interface Verdict {
  /** (a) answered 406, and yet written to a broker or delivered. */
  readonly sentAfter406: readonly string[]
  /** (b) answered 200, and yet no broker acknowledged it. */
  readonly neverAcknowledged: readonly string[]
  /** (c) written to a broker more than once, or delivered as two commands. */
  readonly publishedTwice: readonly string[]
  /** Acknowledged by the broker and answered 200, and yet not delivered: a promise that the broker broke. */
  readonly lostByBroker: readonly string[]
  /** Commands that were delivered, each counted once however often the broker delivered it. */
  readonly delivered: number
  /** Commands whose outcome was never known, or whose answer was none that a command can have. */
  readonly unanswered: readonly string[]
}

/** Holds what was answered against what was seen. */
export function judge ({ commands, publications, deliveries }: Evidence): Verdict {
  const published = groupByImei(publications)
  const delivered = groupByImei(deliveries)
  const find = (isFound: (command: Command, written: readonly Publication[], ids: ReadonlySet<string>) => boolean) => commands
    .filter(command => isFound(command, published.get(command.imei) ?? [], idsOf(delivered.get(command.imei))))
    .map(({ imei }) => imei)
  const isAcknowledged = (written: readonly Publication[]) => written.some(publication => publication.isAcknowledged)
  return {
    sentAfter406: find(({ final }, written, ids) => final === 406 && (written.length > 0 || ids.size > 0)),
    neverAcknowledged: find(({ final }, written) => final === 200 && !isAcknowledged(written)),
    publishedTwice: find((_command, written, ids) => written.length > 1 || ids.size > 1),
    lostByBroker: find(({ final }, written, ids) => final === 200 && isAcknowledged(written) && ids.size === 0),
    delivered: delivered.size,
    unanswered: find(({ final }) => final === undefined || final === 'none' || final === 'other')
  }
}

function idsOf (deliveries: readonly Delivery[] = []): Set<string> {
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
