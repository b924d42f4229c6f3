/** How many ids a device remembers: as many as fit into little memory, and more than wait for one that was away. */
const MAX_IDS = 1_000

/** The ids of the last commands: QoS 1 means at least once, and a broker may deliver one again. */
export function createRecentIds (maxIds = MAX_IDS) {
  const ids = new Set<string>()
  return {
    /** Remembers an id, and forgets the oldest one where there are too many. @returns false where it was known */
    add (id: string): boolean {
      if (ids.has(id)) return false
      ids.add(id)
      for (const oldest of ids) {
        if (ids.size <= maxIds) break
        ids.delete(oldest)
      }
      return true
    }
  }
}
