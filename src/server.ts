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

/**
 * While new requests are refused, connections still open get this long to hear it, in
 * milliseconds: one that is cut idle may just be carrying a request (RFC 9112, section 9.5).
 */
const LAST_CALL_MS = 200

/** Before their connections are cut, callers that still wait for the reply of a device get this long to hear that none came, in milliseconds. */
const LAST_REPLY_MS = 250

/** Kept back of the shutdown time for the end of the broker connection, in milliseconds. */
const BROKER_CLOSE_MS = 1_500

async function main (): Promise<void> {
  try {
    await start(loadConfig(withDotEnv(process.env)))
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`)
    process.exitCode = 1
  }
}

async function start (loaded: Config): Promise<void> {
  const demo = loaded.isDemo ? await startDemo(loaded) : undefined
  const config = demo?.config ?? loaded
  const app = await buildApp(config, { logger: await createLogger(config.logLevel, process.stdout) })
  try {
    await listen(app, { host: config.host, port: config.port })
    demo?.announce()
  } catch (error) {
    await app.close()
    await demo?.stop()
    throw error
  }

  closeWithGrace({ delay: config.shutdownTimeoutMs, logger: app.log }, async ({ signal, err }) => {
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
  })

  if (demo !== undefined) await printBanner(app, demo, process.stdout)
}

/** What to do about the errors of listening, by system call and code. */
const HINTS = new Map([
  ['listen EADDRINUSE', 'Another program listens there: set PORT to a free port.'],
  ['listen EACCES', 'Ports under 1024 need a privilege here: set PORT to 1024 or more, or grant it.'],
  ['listen EADDRNOTAVAIL', 'This machine has no such address: set HOST to one it has.'],
  ['getaddrinfo ENOTFOUND', 'No address has this name: set HOST to an address of this machine.'],
  ['getaddrinfo EAI_AGAIN', 'No address is known for this name now: set HOST to an address of this machine.']
])

/** What a person at a terminal needs to know; a stack only where the error is not foreseen. */
function explain (error: unknown): string {
  if (error instanceof ConfigError) return error.message
  if (error instanceof MetricsPortError) return explain(error.cause).replace('set PORT', 'set METRICS_PORT')
  const { syscall, code } = error as NodeJS.ErrnoException
  const hint = HINTS.get(`${syscall} ${code}`)
  return hint === undefined ? inspect(error) : `${String(error)}\n${hint}`
}

await main()
