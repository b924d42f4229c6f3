/** What one entry of a token's `authorization_details` (RFC 9396) covers. */
export interface Grant {
  /** The only device, by its imei; undefined: every device. */
  readonly identifier: string | undefined
  /** The only operations; undefined: every operation. */
  readonly actions: readonly unknown[] | undefined
}

/** `type` of the entries that are ours; a token may have others, for other services. */
const TYPE = 'messaging'

/** The members that are understood. Any other may be there to narrow the entry, so an entry with one grants nothing. */
const MEMBERS = new Set(['type', 'identifier', 'actions'])

/**
 * The grants in the value of an `authorization_details` claim. What is malformed grants nothing.
 * @param details `[{"type":"messaging","identifier":"<imei>","actions":["push_down"]}, ...]`
 */
export function readGrants (details: unknown): Grant[] {
  return Array.isArray(details) ? details.flatMap(readGrant) : []
}

/** Whether some grant covers an operation of a device. */
export function covers (grants: readonly Grant[], imei: string, microOp: string): boolean {
  return grants.some(({ identifier, actions }) =>
    (identifier === undefined || identifier === imei) && (actions === undefined || actions.includes(microOp)))
}

function readGrant (entry: unknown): Grant[] {
  if (typeof entry !== 'object' || entry === null || !Object.keys(entry).every(name => MEMBERS.has(name))) return []
  const { type, identifier, actions }: { type?: unknown, identifier?: unknown, actions?: unknown } = entry
  if (type !== TYPE || (identifier !== undefined && typeof identifier !== 'string')) return []
  if (actions !== undefined && !(Array.isArray(actions) && actions.every(action => typeof action === 'string'))) return []
  return [{ identifier, actions }]
}
