import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort, isOver, launch, stop } from './processes.js'

/** Longest wait for Redis to listen, in milliseconds. */
const START_LIMIT_MS = 5_000

const POLL_MS = 10

/** Starts a Redis that keeps nothing on a free loopback port, on the load core. */
export async function startRedis () {
  const port = await findFreePort()
  const child = launch('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'], { core: 'load' })
  const limitMs = performance.now() + START_LIMIT_MS
  while (!await accepts(port)) {
    if (isOver(child) || performance.now() > limitMs) throw new Error('redis-server did not start; it must be installed')
    await sleep(POLL_MS)
  }
  return { url: `redis://127.0.0.1:${port}`, stop: () => stop(child) }
}

async function accepts (port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
