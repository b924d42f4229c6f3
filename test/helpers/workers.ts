import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { SECRET } from './app.js'
import { skipWithoutMosquitto, startMosquitto } from './mosquitto.js'
import { freePort } from './ports.js'
import { runProgram } from './program.js'
import { skipWithoutRedis, startRedis } from './redis.js'
import { subscribe } from './subscriber.js'

export const skipWithoutServices = skipWithoutRedis || skipWithoutMosquitto

/** Children of a process, by id. */
function childrenOf (pid: number | undefined): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(id => id !== '').map(Number)
}

/**
 * Two workers that are connected to a broker and Redis, and a device that hears all.
 * @param before JavaScript that runs in the primary and in each worker before the program
 */
export async function startTwo (t: Test, env: Readonly<Record<string, string>> = {}, before = '') {
  const [redis, broker] = await Promise.all([startRedis(t), startMosquitto(t)])
  const device = await subscribe(t, broker.url, '#')
  const port = await freePort()
  const server = runProgram(t, 'src/server.ts', {
    env: { PORT: String(port), METRICS_PORT: '0', WORKERS: '2', MQTT_URL: broker.url, REDIS_URL: redis.url, JWT_SECRET: SECRET, ...env },
    before
  })
  const { says } = server
  for (const text of ['Server listening', 'connected to the broker', 'connected to Redis']) await says(text, 2)
  const metricsPort = Number(/Metrics at http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(server.output.stdout)?.[1])
  return { server, device, port, metricsPort, says, pids: () => childrenOf(server.pid) }
}
