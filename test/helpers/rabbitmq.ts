import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './ports.js'
import { removeFolder } from './remove-folder.js'
import { until } from './until.js'

/** Not the wrapper in /usr/sbin: that one becomes user rabbitmq and takes the machine's own node for ours. */
export const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** `skip` of a test that needs RabbitMQ: false where it is installed, and in CI, where it must be. */
export const skipWithoutRabbitmq = existsSync(SERVER) || process.env.CI === 'true' ? false : 'RabbitMQ is not installed'

/** A start takes about ten seconds on an idle machine: half of it is Erlang, half a wait for a cluster. */
const START_MS = 90_000

export interface RabbitmqOptions {
  /** More lines of rabbitmq.conf, after the listener and the log. */
  readonly config?: readonly string[]
  /** Files it may name, by name; they are written beside rabbitmq.conf. */
  readonly files?: Readonly<Record<string, string>>
}

/**
 * A RabbitMQ with its MQTT plugin on a free loopback port, stopped with the test.
 * Node, data, log, cookie and the port mapper (epmd) are its own, so that it neither
 * meets nor leaves behind anything of another RabbitMQ. `{dir}` in a line stands for its folder.
 */
export async function startRabbitmq (t: Test, { config = [], files = {} }: RabbitmqOptions = {}) {
  const [port, epmdPort, distributionPort] = [await freePort(), await freePort(), await freePort()]
  const dir = mkdtempSync(join(tmpdir(), 'messenger-rabbitmq-'))
  const path = (name: string) => join(dir, name)
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text)
  writeFileSync(path('enabled_plugins'), '[rabbitmq_mqtt].')
  writeFileSync(path('rabbitmq.conf'), [
    'listeners.tcp = none',
    `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
    'log.console = true', 'log.file = false',
    ...config, ''
  ].join('\n').replaceAll('{dir}', dir))
  const env = {
    PATH: process.env.PATH,
    HOME: dir, // of the Erlang cookie
    LANG: 'C.UTF-8',
    RABBITMQ_NODENAME: `messenger-${port}@localhost`,
    RABBITMQ_MNESIA_BASE: path('mnesia'),
    RABBITMQ_LOG_BASE: path('log'),
    RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_DIST_PORT: String(distributionPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_CRASH_DUMP_BYTES: '0'
  }
  // Where there is none, Erlang starts one that nobody stops.
  const epmd = runGroup('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], env)
  let server: ReturnType<typeof runGroup> | undefined

  async function start (): Promise<void> {
    const started = runGroup(SERVER, [], env)
    server = started
    await until(() => started.ended || started.said.includes('Server startup complete'), 'the start of RabbitMQ', START_MS)
    if (started.ended) throw new Error(`rabbitmq-server ended: ${started.said}`)
  }

  async function stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await server?.stop(signal)
    server = undefined
  }

  t.teardown(async () => {
    await stop()
    await epmd.stop('SIGTERM')
    await removeFolder(dir)
  })
  await start()
  return {
    url: `mqtt://127.0.0.1:${port}`,
    /** Its version, from what it says at its start, e.g. `3.10.8`. */
    version: /Starting RabbitMQ (\S+)/.exec(server?.said ?? '')?.[1] ?? 'unknown',
    start,
    stop
  }
}

/** Runs a program, and kills all of its group once nobody holds the other end of standard input. */
const WATCHED = 'exec 3<&0; "$@" </dev/null & program=$!; (cat <&3; kill -KILL 0) >/dev/null 2>&1 & wait $program'

/** A program with all that it starts itself, in a process group of its own, which does not outlive this process. */
export function runGroup (command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn('sh', ['-c', WATCHED, 'sh', command, ...args], { env, detached: true, stdio: 'pipe' })
  let said = ''
  let ended = false
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { said += String(chunk) })
  // When nobody of the group can say anything any more.
  child.once('close', () => { ended = true })
  return {
    get said () { return said },
    get ended () { return ended },
    async stop (signal: NodeJS.Signals) {
      try {
        if (!ended && child.pid !== undefined) process.kill(-child.pid, signal)
      } catch {
        // It has just ended by itself, which is told a moment later.
      }
      await until(() => ended, () => `the end of ${command}: ${said}`, START_MS)
    }
  }
}
