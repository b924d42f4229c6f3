import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'

/** Where a process runs: the server under test alone on one core, everything else on another. */
export type Core = 'server' | 'load'

const CORE_NUMBERS: Readonly<Record<Core, string>> = { server: '0', load: '1' }

/** Between the polite and the impolite end of a process, in milliseconds. */
const STOP_GRACE_MS = 5_000

const running = new Set<ChildProcess>()
let pins = false

/**
 * Moves this process to the load core and pins whatever is launched from now on.
 * @returns whether it could; without taskset or a second core nothing is pinned
 */
export function pinProcesses (): boolean {
  const canUse = (core: Core) => spawnSync('taskset', ['-c', CORE_NUMBERS[core], 'true']).status === 0
  pins = canUse('server') && canUse('load')
  if (pins) spawnSync('taskset', ['-a', '-c', '-p', CORE_NUMBERS.load, String(process.pid)])
  return pins
}

/** How to launch a process. */
export interface LaunchOptions {
  readonly core: Core
  /** The whole environment; default: ours. */
  readonly env?: Readonly<Record<string, string>>
  /** Default: no input, no output, our stderr. */
  readonly stdio?: StdioOptions
}

/** Starts a process that {@link stop} or {@link stopAll} ends. */
export function launch (command: string, args: readonly string[], options: LaunchOptions): ChildProcess {
  const { core, env, stdio = ['ignore', 'ignore', 'inherit'] } = options
  // taskset becomes the command it starts: the process id is the command's own.
  const [file, ...rest] = pins ? ['taskset', '-c', CORE_NUMBERS[core], command, ...args] : [command, ...args]
  // Away from the repository: the server reads a .env file where it starts.
  const child = spawn(file, rest, { cwd: tmpdir(), stdio, ...(env !== undefined && { env: { ...env } }) })
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', error => {
    running.delete(child)
    process.stderr.write(`${command}: ${error.message}\n`)
  })
  return child
}

/** Whether a process is over, or never came to be. */
export function isOver (child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Ends a process, by force where it does not end by itself. */
export async function stop (child: ChildProcess): Promise<void> {
  if (isOver(child)) return
  const exited = once(child, 'exit')
  const force = setTimeout(() => { child.kill('SIGKILL') }, STOP_GRACE_MS)
  child.kill('SIGTERM')
  await exited
  clearTimeout(force)
}

/** Ends every process still running. */
export async function stopAll (): Promise<void> {
  await Promise.all([...running].map(stop))
}

/** Ends every process still running at once: for when there is no time left to wait. */
export function killAll (): void {
  for (const child of running) child.kill('SIGKILL')
}

/** A loopback port that nobody listens on. */
export async function findFreePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
