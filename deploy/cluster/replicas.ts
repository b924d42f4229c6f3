import { setTimeout as sleep } from 'node:timers/promises'
import { lastingPort } from './ports.js'
import { runProgram } from '../../test/helpers/program.js'
import type { Scope } from '../../test/helpers/scope.js'

/** Longest wait for a replica that is ready, in milliseconds. */
const READY_LIMIT_MS = 60_000

const POLL_MS = 50

export type Replica = Awaited<ReturnType<typeof createReplica>>

/** One process of the built server, on a port that it keeps. */
export async function createReplica (scope: Scope, env: Readonly<Record<string, string>>) {
  const port = await lastingPort()
  const run = () => runProgram(scope, 'dist/server.js', { env: { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), ...env } })
  let program = run()

  /** Waits until it is connected to a broker. */
  async function ready (): Promise<void> {
    const limitMs = performance.now() + READY_LIMIT_MS
    while (!await isReady(port)) {
      if (!program.isAlive || performance.now() > limitMs) throw new Error(`a replica is not ready:\n${program.output.stdout}\n${program.output.stderr}`)
      await sleep(POLL_MS)
    }
  }

  return {
    port,
    ready,
    /** Sends it a signal and waits for its end. */
    async stop (signal: NodeJS.Signals): Promise<void> {
      program.kill(signal)
      await program.exit()
    },
    /** Starts it again and waits until it is ready. */
    async start (): Promise<void> {
      program = run()
      await ready()
    }
  }
}

async function isReady (port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`)
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false // it does not listen yet
  }
}
