import { startBroker, type Broker } from './broker.js'
import { killAll, stopAll } from './processes.js'

/** The frame of a measurement that starts processes: it says what went wrong, and leaves nothing running, however it ends. */
export async function leaveNothing (measure: () => Promise<void>): Promise<void> {
  process.on('exit', killAll)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { process.exit(1) })
  try {
    await measure()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  } finally {
    await stopAll()
  }
  // What went wrong may have left a connection that is made again and again.
  process.exit()
}

/**
 * The same with one broker.
 * @param check throws, with what is to be told, where the measurement cannot be made as it was asked for
 */
export async function withBroker (check: () => void, measure: (broker: Broker) => Promise<void>): Promise<void> {
  await leaveNothing(async () => {
    check()
    const broker = await startBroker()
    try {
      await measure(broker)
    } finally {
      await broker.stop()
    }
  })
}
