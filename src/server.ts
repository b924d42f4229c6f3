import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.js'
import { printBanner } from './banner.js'
import { ConfigError } from './config/faults.js'
import { loadConfig, type Config } from './config/config.js'
import { startDemo } from './demo.js'
import { withDotEnv } from './dotenv.js'
import { listen } from './listen.js'
import { createLogger } from './logger.js'
import { MetricsPortError } from './metrics/server.js'
import type { Member } from './workers/worker.js'

/**
 * While new requests are refused, connections still open get this long to hear it, in
 * milliseconds: one that is cut idle may just be carrying a request (RFC 9112, section 9.5).
 */
const LAST_CALL_MS = 200

/** Before their connections are cut, callers that still wait for the reply of a device get this long to hear that none came, in milliseconds. */
const LAST_REPLY_MS = 250

/** Kept back of the shutdown time for the end of the broker connection, in milliseconds. */
const BROKER_CLOSE_MS = 1_500

/**
 * What the system says of a process that has crashed. Who listens for it has the fault happen again, and again, on return: the
 * process would take a whole core and never end, where it should end and be started anew.
 */
const CRASH_SIGNALS = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const

/** What ends a group of processes from outside. */
const GROUP_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

async function main (): Promise<void> {
  try {
    const config = loadConfig(withDotEnv(process.env))
    if (config.workers === 1) await start(config)
    else await startOneOfMany(config)
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`)
    process.exitCode = 1
  }
}

/** The primary, which serves nothing but the metrics, or one of its workers. */
async function startOneOfMany (config: Config): Promise<void> {
  const { default: cluster } = await import('node:cluster')
  if (cluster.worker === undefined) {
    const { startPrimary } = await import('./workers/start-primary.js')
    const primary = await startPrimary(config, await createLogger(config.logLevel, process.stdout))
    closeWithGrace({ delay: config.shutdownTimeoutMs, logger: primary.log, skip: [...CRASH_SIGNALS] }, async ({ signal, err }) => {
      if (err !== undefined) primary.log.fatal({ err }, 'stopping after an error')
      await primary.stop(signal)
    })
    return
  }
  const { createMember } = await import('./workers/worker.js')
  const member = createMember(cluster.worker)
  try {
    await start(config, member)
  } catch (error) {
    process.exitCode = 1
    await member.failed(explain(error))
  }
}

/** @param member this process as one of several; undefined: it is the only one */
async function start (loaded: Config, member?: Member): Promise<void> {
  const demo = loaded.isDemo ? await startDemo(loaded) : undefined
  const config = demo?.config ?? loaded
  const app = await buildApp(config, {
    logger: await createLogger(config.logLevel, process.stdout, member?.id), isScrapedElsewhere: member !== undefined
  })
  try {
    await listen(app, { host: config.host, port: config.port })
    demo?.announce()
  } catch (error) {
    await app.close()
    await demo?.stop()
    throw error
  }

  // A terminal, or systemd, signals the whole group: a worker may hear of one stop twice, and must not take it for two.
  const skip = member === undefined ? [...CRASH_SIGNALS] : [...CRASH_SIGNALS, ...GROUP_SIGNALS]
  const grace = closeWithGrace({ delay: config.shutdownTimeoutMs, logger: app.log, skip }, async ({ signal, err }) => {
    if (err !== undefined) app.log.fatal({ err }, 'stopping after an error')
    else app.log.info({ signal }, 'stopping')
    app.drain.leave()
    await sleep(config.drainDelayMs)
    app.drain.refuse()
    await sleep(LAST_CALL_MS)
    // By then every request that arrived whole is answered; what is left is half-sent and would keep us here.
    const cutMs = config.shutdownTimeoutMs - config.drainDelayMs - LAST_CALL_MS - BROKER_CLOSE_MS
    setTimeout(() => { app.mqtt.endWaits() }, cutMs - LAST_REPLY_MS).unref()
    setTimeout(() => { app.server.closeAllConnections() }, cutMs).unref()
    await app.close()
    await demo?.stop()
    await member?.leave()
  })

  if (member !== undefined) {
    let isStopping = false
    const stop = (): void => {
      if (isStopping) return
      isStopping = true
      grace.close()
    }
    for (const signal of GROUP_SIGNALS) process.on(signal, stop)
    await member.started(app, stop)
  }
  if (demo !== undefined) await printBanner(app, demo, process.stdout)
}

/** What to do about the errors of listening, by system call and code. */
const HINTS = new Map([
  ['listen EADDRINUSE', 'Another program listens there: set PORT to a free port.'],
  // As a worker says it, whose port was free a moment ago.
  ['bind EADDRINUSE', 'Another program listens there: set PORT to a free port.'],
  ['listen EACCES', 'Ports under 1024 need a privilege here: set PORT to 1024 or more, or grant it.'],
  ['listen EADDRNOTAVAIL', 'This machine has no such address: set HOST to one it has.'],
  ['getaddrinfo ENOTFOUND', 'No address has this name: set HOST to an address of this machine.'],
  ['getaddrinfo EAI_AGAIN', 'No address is known for this name now: set HOST to an address of this machine.']
])

/** What a person at a terminal needs to know; a stack only where the error is not foreseen. */
function explain (error: unknown): string {
  if (error instanceof ConfigError || isWorkerStartError(error)) return error.message
  if (error instanceof MetricsPortError) return explain(error.cause).replace('set PORT', 'set METRICS_PORT')
  const { syscall, code } = error as NodeJS.ErrnoException
  const hint = HINTS.get(`${syscall} ${code}`)
  return hint === undefined ? inspect(error) : `${String(error)}\n${hint}`
}

/** By its name: its class is in a module that a single process does not load. */
function isWorkerStartError (error: unknown): error is Error {
  return error instanceof Error && error.name === 'WorkerStartError'
}

await main()
