import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/helpers/ports.js'
import { runProgram } from '../../test/helpers/program.js'
import type { Scope } from '../../test/helpers/scope.js'

/** Longest wait for a replica that is ready, in milliseconds. */
const READY_LIMIT_MS = 60_000

const POLL_MS = 50

export type Replica = Awaited<ReturnType<typeof createReplica>>

/** One process of the built server, on a port that it keeps. */
export async function createReplica (scope: Scope, env: Readonly<Record<string, string>>) {
  const port = await freePort()
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
    /**
     * Sends it a signal and waits for its end.
     * @throws where it had ended before, or SIGTERM did not end it by itself with code 0
     */
    async stop (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
      if (!program.isAlive) throw new Error(`the replica on port ${port} had ended by itself:\n${program.output.stdout}\n${program.output.stderr}`)
      program.kill(signal)
      const end = await program.exit()
      if (signal === 'SIGTERM') assertGracefulEnd(end, `the replica on port ${port}`, program.output)
    },
    /** Starts it again and waits until it is ready. */
    async start (): Promise<void> {
      program = run()
      await ready()
    }
  }
}

/** How a program ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * A stop that is asked for is not a failure: what is under way is answered, and the code says so.
 * @throws where it ended otherwise than by itself with code 0
 */
export function assertGracefulEnd ({ code, signal }: End, name: string, { stdout, stderr } = { stdout: '', stderr: '' }): void {
  if (code === 0 && signal === null) return
  throw new Error([`${name} ended with ${signal ?? `code ${code}`}, where SIGTERM was to end it with code 0`, stdout, stderr].filter(text => text !== '').join('\n'))
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
