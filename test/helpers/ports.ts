import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { once } from 'node:events'

/** Below what systems take for outgoing connections: one of those could sit on the port of a server that is about to start, or to start again. */
const [FIRST, LIMIT] = [20_000, 32_000]

const given = new Set<number>()

/** A loopback port that is free, given once in this process, and that stays free for a server that ends and starts again. */
export async function freePort (): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LIMIT)
    if (given.has(port) || !await isFree(port)) continue
    given.add(port)
    return port
  }
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
