/** Packet Identifiers are 1 to 65,535 (MQTT 5, 2.2.1). */
const HIGHEST = 65_535

export type PacketIds = ReturnType<typeof createPacketIds>

/**
 * Hands out Packet Identifiers for one connection: never one in use [MQTT-2.2.1-3], and the
 * others in turn, so that one just freed comes back as late as can be: a stray second PUBACK
 * then finds nothing to confirm. In the form that MQTT.js asks for.
 *
 * MQTT.js's default provider hands out identifiers that are in use after 65,535 publishes; its
 * other one keeps a search tree, which costs more than the publish.
 */
export function createPacketIds () {
  const isUsed = new Uint8Array(HIGHEST + 1)
  let last = 0
  let used = 0

  return {
    /** A free identifier, which is then in use; null where all are. */
    allocate (): number | null {
      if (used === HIGHEST) return null
      do last = last % HIGHEST + 1
      while (isUsed[last] === 1)
      isUsed[last] = 1
      used += 1
      return last
    },
    /** The identifier handed out last. */
    getLastAllocated (): number | null { return last === 0 ? null : last },
    /** Takes one into use; false where it already is. */
    register (id: number): boolean {
      if (isUsed[id] === 1) return false
      isUsed[id] = 1
      used += 1
      return true
    },
    /** Frees one. */
    deallocate (id: number): void {
      if (isUsed[id] === 1) used -= 1
      isUsed[id] = 0
    },
    /** Frees all. */
    clear (): void {
      isUsed.fill(0)
      used = 0
    }
  }
}
