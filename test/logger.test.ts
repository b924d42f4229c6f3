import Fastify from 'fastify'
import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { createLogger } from '../src/logger.js'

/** Stands in for a package that is not installed: to import it throws. */
const absent = {
  get default () { throw new Error("Cannot find package 'pino-pretty'") }
}

/** What the lines of a logger look like. */
function shapeOf (logger: Awaited<ReturnType<typeof createLogger>>) {
  if (typeof logger !== 'object' || !('level' in logger)) throw new TypeError('no options of pino')
  return { level: logger.level, isJson: logger.base === null }
}

/** A standard output that a test can read: a terminal, or a pipe. */
function createOutput (isTTY: boolean) {
  const stream = new PassThrough({ encoding: 'utf8' })
  return {
    output: Object.assign(stream, { isTTY }) as unknown as WriteStream,
    /** What was written so far, without colours. */
    read: () => stripVTControlCharacters(String(stream.read() ?? ''))
  }
}

t.test('without pino-pretty', async t => {
  const { createLogger } = await t.mockImport<typeof import('../src/logger.js')>(import.meta.resolve('../src/logger.js'), { 'pino-pretty': absent })

  t.test('logs JSON lines where nobody looks on, with nothing loaded for it', async t => {
    const { output, read } = createOutput(false)
    t.strictSame(shapeOf(await createLogger('warn', output)), { level: 'warn', isJson: true })
    t.equal(read(), '')
  })

  t.test('logs JSON lines on a terminal, and says first what to install', async t => {
    const { output, read } = createOutput(true)
    t.strictSame(shapeOf(await createLogger('debug', output)), { level: 'debug', isJson: true })
    t.equal(read(), '{"level":40,"msg":"for a readable log on a terminal: npm install pino-pretty"}\n')
  })
})

t.test('logs text with the time of day on a terminal', async t => {
  const { output, read } = createOutput(true)
  const logger = await createLogger('info', output)
  const { log } = Fastify({ logger: logger ?? false })
  log.info({ topic: 'devices/42/commands' }, 'published')
  t.match(read(), /^\[\d\d:\d\d:\d\d\] INFO: published\n {4}topic: "devices\/42\/commands"\n$/)
})

t.test('logs from the level that is asked for, also on a terminal', async t => {
  const { output, read } = createOutput(true)
  const logger = await createLogger('warn', output)
  const { log } = Fastify({ logger: logger ?? false })
  log.info('not this')
  t.equal(read(), '')
  log.warn('but this')
  t.match(read(), /^\[\d\d:\d\d:\d\d\] WARN: but this\n$/)
})
