import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './ports.js'
import type { Scope } from './scope.js'

const isInstalled = spawnSync('redis-server', ['--version']).error === undefined

/** `skip` of a test that needs Redis: false where it is installed, and in CI, where it must be. */
export const skipWithoutRedis = isInstalled || process.env.CI === 'true' ? false : 'Redis is not installed'

export interface RedisOptions {
  /** More of its settings, by name. Default: what the messenger asks for. What it has written outlives it: only a machine that crashes loses what is not on the disk yet, and a slow disk would make it answer late. */
  readonly settings?: Readonly<Record<string, string>>
  /** Default: a free one. */
  readonly port?: number
}

/** A real Redis on a free loopback port, stopped with the test. It finds its data again when it is started again. */
export async function startRedis (t: Scope, options: RedisOptions = {}) {
  const port = options.port ?? await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'messenger-redis-'))
  const settings = {
    port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: 'no', 'maxmemory-policy': 'noeviction', ...options.settings
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  let child: ChildProcess | undefined

  async function start (): Promise<void> {
    const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    child = started
    await new Promise<void>((resolve, reject) => {
      let said = ''
      started.stdout.on('data', chunk => {
        said += String(chunk)
        if (said.includes('Ready to accept connections')) resolve()
      })
      started.once('exit', () => { reject(new Error(`redis-server ended: ${said}`)) })
    })
  }

  /** Ends it. With SIGKILL it has no time to save anything. */
  async function stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    running.kill(signal)
    await exited
  }

  /** Stops it in its tracks, with its connections open, or lets it go on. */
  function signal (name: 'SIGSTOP' | 'SIGCONT'): void {
    child?.kill(name)
  }

  await start()
  t.teardown(async () => {
    signal('SIGCONT')
    await stop('SIGKILL')
    rmSync(dir, { recursive: true })
  })
  const url = `redis://127.0.0.1:${port}`

  return {
    port,
    url,
    start,
    stop,
    signal,
    /** A connection of the test's own. @param isQueuing whether it sends later, or again, what it cannot send now; the messenger's does not */
    connect ({ isQueuing = true, commandTimeout = 10_000 } = {}) {
      const redis = new Redis(url, { maxRetriesPerRequest: 0, enableOfflineQueue: isQueuing, autoResendUnfulfilledCommands: isQueuing, commandTimeout })
      redis.on('error', () => {})
      t.teardown(() => { redis.disconnect() })
      return redis
    }
  }
}
