import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'
import type { Scope } from './scope.js'
import { until } from './until.js'

// Debian puts it where root's PATH looks and a user's does not.
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`
const isInstalled = spawnSync('mosquitto', ['-h'], { env: { PATH } }).error === undefined

/** `skip` of a test that needs Mosquitto: false where it is installed, and in CI, where it must be. */
export const skipWithoutMosquitto = isInstalled || process.env.CI === 'true' ? false : 'Mosquitto is not installed'

export interface MosquittoOptions {
  /** More lines of mosquitto.conf, after the listener. */
  readonly config?: readonly string[]
  /** Lines of the listener itself, e.g. its TLS. Default: a plain one. */
  readonly listener?: readonly string[]
  /** More files it may name, by name; they are written beside mosquitto.conf. */
  readonly files?: Readonly<Record<string, string>>
  /** Default: a free one. */
  readonly port?: number
}

/** A real broker on a free loopback port, stopped with the test. `{dir}` in a line stands for its folder. */
export async function startMosquitto (t: Scope, options: MosquittoOptions = {}) {
  const port = options.port ?? await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'messenger-mosquitto-'))
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), text)
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...options.listener ?? [],
    'user root', 'persistence false',
    // Without a limit of the queue nothing is dropped; but with it, 2.0.11 closes a connection
    // at the publish after a denied one, so the tests of its access control go without.
    ...options.config ?? ['allow_anonymous true', 'max_queued_messages 0']
  ]
  writeFileSync(join(dir, 'mosquitto.conf'), lines.join('\n').replaceAll('{dir}', dir))
  let child: ChildProcess | undefined

  async function start (): Promise<void> {
    const started = spawn('mosquitto', ['-c', join(dir, 'mosquitto.conf')], { env: { PATH }, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    started.stderr.on('data', chunk => { said += String(chunk) })
    child = started
    let exited = false
    started.once('exit', () => { exited = true })
    for (;;) {
      if (exited) throw new Error(`mosquitto ended: ${said}`)
      if (await accepts(port)) return
      await until(() => true, 'the next try')
    }
  }

  async function stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    running.kill(signal)
    await exited
  }

  /** Sends a signal and does not wait, e.g. SIGSTOP, then SIGCONT. */
  function signal (name: NodeJS.Signals): void {
    child?.kill(name)
  }

  await start()
  t.teardown(async () => {
    await stop()
    rmSync(dir, { recursive: true })
  })
  return { port, url: `mqtt://127.0.0.1:${port}`, dir, start, stop, signal }
}

async function accepts (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
