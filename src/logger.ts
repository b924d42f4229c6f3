import type { FastifyServerOptions } from 'fastify'
import type { WriteStream } from 'node:tty'
import { pino } from 'pino'
import type { Config } from './config/config.js'

/**
 * Lines are written together: so many bytes at a time, and what there is after so many milliseconds.
 * Larger batches cost more, not less: their lines live long enough to be moved by the garbage collector.
 */
const BATCH_BYTES = 4_096
const BATCH_MS = 100

/**
 * Options of the log: JSON lines, or text where a person looks on.
 * pino-pretty is only loaded for a terminal; where it is absent the lines stay JSON and a
 * first one says what to install: a server must not fail to start for its looks.
 */
export async function createLogger (level: Config['logLevel'], output: WriteStream): Promise<FastifyServerOptions['logger']> {
  if (!output.isTTY) return createLines(level)
  try {
    const { default: pretty } = await import('pino-pretty')
    return { level, stream: pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', destination: output, sync: true }) }
  } catch {
    output.write('{"level":40,"msg":"for a readable log on a terminal: npm install pino-pretty"}\n')
    return createLines(level)
  }
}

/**
 * JSON lines on standard output; what is left is written when the process exits. It waits for each
 * write: to hand them to another thread took a seventh of all CPU time, and a reader that has
 * stalled must not make them pile up in memory.
 */
function createLines (level: Config['logLevel']) {
  return { level, base: null, stream: pino.destination({ dest: 1, sync: true, minLength: BATCH_BYTES, periodicFlush: BATCH_MS }) }
}
