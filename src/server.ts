import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger } from 'fastify'
import { buildApp } from './app.js'
import { printBanner } from './banner.js'
import { systemClock } from './clock.js'
import { ConfigError } from './config/faults.js'
import { loadConfig, type Config } from './config/config.js'
import { startDemo } from './demo.js'
import { withDotEnv } from './dotenv.js'
import { listen } from './listen.js'
import { createLogger } from './logger.js'
import { MetricsPortError } from './metrics/server.js'
import { createStopSignals, STOP_SIGNALS } from './stop-signals.js'
import type { Member } from './workers/worker.js'

/**
 * While new requests are refused, connections still open get this long to hear it, in
 * milliseconds: one that is cut idle may just be carrying a request (RFC 9112, section 9.5).
 */
const LAST_CALL_MS = 200

/**
 * Before their connections are cut, callers that still wait for the reply of a device get this long, at most, to hear that none came, in
 * milliseconds: there may be ten thousand of them, and what they are told is recorded first.
 */
const LAST_REPLY_MS = 1_000

/** Kept back of the shutdown time for the end of the broker connection, in milliseconds. */
const BROKER_CLOSE_MS = 1_500

/**
 * What the system says of a process that has crashed. Who listens for it has the fault happen again, and again, on return: the
 * process would take a whole core and never end, where it should end and be started anew.
 */
const CRASH_SIGNALS = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const

/** What close-with-grace is to leave alone: the signals of a stop may come twice, see {@link createStopSignals}. */
const LEFT_ALONE = [...CRASH_SIGNALS, ...STOP_SIGNALS]

async function main (): Promise<void> {
  try {
    if (cluster.worker === undefined) await startFirst(withDotEnv(process.env))
    else await startWorker(cluster.worker)
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`)
    process.exitCode = 1
  }
}

/** The process that was started: the server, or with `WORKERS` the primary, which serves nothing but the metrics. */
async function startFirst (environment: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(environment)
  if (config.workers === 1) {
    await start(config)
    return
  }
  const { startPrimary } = await import('./workers/start-primary.js')
  const primary = await startPrimary(config, environment, await createLogger(config.logLevel, process.stdout))
  stopOnSignals(primary.log, prepareStop(primary.log, config.shutdownTimeoutMs, primary.stop))
}

/** One of several. What it has from `.env` stands in its environment. Also what is wrong with its configuration is told to the primary: a file that it names may be gone. */
async function startWorker (worker: Worker): Promise<void> {
  // A signal to all of the group is the primary's to act on, as long as this one serves nothing.
  for (const signal of STOP_SIGNALS) process.on(signal, () => {})
  const { createMember } = await import('./workers/worker.js')
  const member = createMember(worker)
  try {
    await start(loadConfig(process.env), member)
  } catch (error) {
    process.exitCode = 1
    await member.failed(explain(error))
  }
}

/**
 * Has the process stop in an orderly way, once: after an error that nobody caught, for which it exits 1, or when it is asked to.
 * A worker is asked twice, by its primary and by a signal to the group.
 * @param limitMs where the stop takes longer, the process ends all the same, in milliseconds
 * @returns what asks it to stop
 */
function prepareStop (log: FastifyBaseLogger, limitMs: number, stop: () => Promise<void>): (signal?: string) => void {
  let isStopping = false
  let askedBy: string | undefined
  const grace = closeWithGrace({ delay: limitMs, logger: log, skip: LEFT_ALONE }, async ({ signal = askedBy, err }) => {
    isStopping = true
    if (err !== undefined) log.fatal({ err }, 'stopping after an error')
    else log.info({ signal }, 'stopping')
    await stop()
  })
  return signal => {
    if (isStopping) return
    askedBy = signal
    grace.close()
  }
}

/** Stops at the first signal that asks for it; at a second, later one the process ends at once. */
function stopOnSignals (log: FastifyBaseLogger, stop: (signal: string) => void): void {
  const take = createStopSignals(systemClock, {
    stop,
    force (signal) {
      log.error({ signal }, 'a second signal: ending at once')
      process.exit(1)
    }
  })
  for (const signal of STOP_SIGNALS) process.on(signal, take)
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

  const stop = prepareStop(app.log, config.shutdownTimeoutMs, async () => {
    app.drain.leave()
    await sleep(config.drainDelayMs)
    app.drain.refuse()
    await sleep(LAST_CALL_MS)
    // By then every request that arrived whole is answered; what is left is half-sent and would keep us here.
    const cutMs = config.shutdownTimeoutMs - config.drainDelayMs - LAST_CALL_MS - BROKER_CLOSE_MS
    // Not before the last publish is settled: the configuration leaves 300 ms for the rest, at least.
    const lastReplyMs = Math.min(LAST_REPLY_MS, cutMs - config.mqtt.queueTimeoutMs - config.mqtt.publishTimeoutMs)
    // One after the other: where this process stood still until the last, what was due before is answered before.
    systemClock.after(cutMs - lastReplyMs, () => {
      app.mqtt.endWaits()
      systemClock.after(lastReplyMs, () => { app.server.closeAllConnections() })
    })
    await app.close()
    await demo?.stop()
    await member?.leave()
  })
  if (member === undefined) stopOnSignals(app.log, stop)
  else {
    for (const signal of STOP_SIGNALS) process.on(signal, stop)
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
