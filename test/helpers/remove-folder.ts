import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** How often, and how long in between, in milliseconds. */
const TRIES = 50
const PAUSE_MS = 100

/**
 * Removes a folder with all that is in it, also where something still writes there: Node's own retries do not look again at
 * what is in it. Once, after the nodes of a cluster were killed, one of them had made its cookie there anew meanwhile.
 */
export async function removeFolder (folder: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || tries === TRIES) throw error
      await sleep(PAUSE_MS)
    }
  }
}
