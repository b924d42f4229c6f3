import type { Exchange } from './callers.js'
import type { Evidence } from './judge.js'

/**
 * What callers, recorders and devices saw of one command, a line each, in the order of time:
 * what somebody needs who looks for the cause of a finding.
 * @param startMs when the run began, by `performance.now()`
 */
export function tellHistory ({ commands, publications, deliveries }: Evidence, imei: string, startMs: number): string[] {
  const isIts = (one: { readonly imei: string }) => one.imei === imei
  const events: Array<readonly [atMs: number, what: string]> = []
  for (const { exchanges } of commands.filter(isIts)) {
    for (const exchange of exchanges) events.push([exchange.atMs, describeExchange(exchange)])
  }
  for (const { atMs, acknowledgedMs, id, topic } of publications.filter(isIts)) {
    events.push([atMs, `PUBLISH to ${topic}, id "${id}"`])
    if (acknowledgedMs !== undefined) events.push([acknowledgedMs, `PUBACK, id "${id}"`])
  }
  for (const { atMs, id, topic } of deliveries.filter(isIts)) events.push([atMs, `delivered from ${topic}, id "${id}"`])
  return events
    .sort(([one], [other]) => one - other)
    .map(([atMs, what]) => `${((atMs - startMs) / 1000).toFixed(3).padStart(9)} s  ${what}`)
}

function describeExchange ({ status, isReplayed }: Exchange): string {
  if (status === undefined) return 'no answer of the messenger'
  return `answered ${status}${isReplayed ? ', replayed' : ''}`
}
