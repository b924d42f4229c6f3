import type { FastifyServerOptions } from 'fastify'
import type { WriteStream } from 'node:tty'
import type { Config } from './config/config.js'

/**
 * Options of the log: JSON lines, or text where a person looks on.
 * pino-pretty is only loaded for a terminal; where it is absent the lines stay JSON and a
 * first one says what to install: a server must not fail to start for its looks.
 */
export async function createLogger (level: Config['logLevel'], output: WriteStream): Promise<FastifyServerOptions['logger']> {
  if (!output.isTTY) return { level }
  try {
    const { default: pretty } = await import('pino-pretty')
    return { level, stream: pretty({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname', destination: output, sync: true }) }
  } catch {
    output.write('{"level":40,"msg":"for a readable log on a terminal: npm install pino-pretty"}\n')
    return { level }
  }
}
