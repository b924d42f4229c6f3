import type { FastifyServerOptions } from 'fastify'
import type { WriteStream } from 'node:tty'
import { pino } from 'pino'
import { createBatchedLines } from './batched-lines.js'
import { systemClock } from './clock.js'
import type { Config } from './config/config.js'

/** What several processes write to one pipe stays apart where it is at most so many bytes at a time (POSIX, PIPE_BUF). */
const PIPE_BYTES = 4_096

/** What cannot be written is kept up to here, in bytes, and lost beyond. */
const MAX_UNWRITTEN_BYTES = 1_048_576

/** Its file descriptor. */
const STDOUT = 1

/**
 * Options of the log: JSON lines, or text where a person looks on.
 * pino-pretty is only loaded for a terminal; where it is absent the lines stay JSON and a
 * first one says what to install: a server must not fail to start for its looks.
 * @param worker number that every JSON line then has; undefined where this process is the only one
 */
export async function createLogger (level: Config['logLevel'], output: WriteStream, worker?: number): Promise<NonNullable<FastifyServerOptions['logger']>> {
  if (!output.isTTY) return createLines(level, worker)
  try {
    const { default: pretty } = await import('pino-pretty')
    return { level, stream: pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', destination: output, sync: true }) }
  } catch {
    output.write('{"level":40,"msg":"for a readable log on a terminal: npm install pino-pretty"}\n')
    return createLines(level, worker)
  }
}

/**
 * JSON lines on standard output; what is left is written when the process exits. It waits for each
 * write: to hand them to another thread took a seventh of all CPU time, and a reader that has
 * stalled must not make them pile up in memory.
 */
function createLines (level: Config['logLevel'], worker: number | undefined) {
  const output = pino.destination({ dest: STDOUT, sync: true, maxLength: MAX_UNWRITTEN_BYTES })
  // As where the disk is full: without a listener the process would end, and commands under way with it.
  output.on('error', () => {})
  const stream = createBatchedLines(lines => { output.write(lines) }, systemClock, worker === undefined ? {} : { most: PIPE_BYTES, measure: Buffer.byteLength })
  // Before pino's own, which closes its stream.
  process.prependOnceListener('exit', stream.flush)
  return { level, base: worker === undefined ? null : { worker }, stream }
}
