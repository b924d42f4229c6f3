// The server with one fault built in, which FAULT names. It is what the suite is tried on: one that
// passes any of these finds nothing.
import { buildApp } from '../../../src/app.js'
import { loadConfig } from '../../../src/config/config.js'
import { createLogger } from '../../../src/logger.js'
import type { SubjectName } from './subject.js'

const config = loadConfig(process.env)
const app = await buildApp(config, { logger: await createLogger(config.logLevel, process.stdout) })
const command = { imei: '1', topic: 'devices/1/commands', microOp: 'a', ttlS: 30, receivedAtMs: 0, requestId: 'nobody' }
const kept: unknown[] = []

/** What happens to requests, by the name of the fault. Those of the suite itself have no query and no `Prefer`. */
const faults: Partial<Record<SubjectName, () => unknown>> = {
  'answers-500': () => app.addHook('onRequest', async request => {
    if (request.headers.prefer !== undefined) throw new Error('wanted by nobody')
  }),
  'publishes-on-400': () => app.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode === 400) await app.mqtt.send({ ...command, receivedAtMs: request.receivedAtMs, requestId: request.id })
  }),
  'publishes-twice': () => app.addHook('onResponse', async request => {
    const { sent } = request
    if (sent?.publication.payload.includes('.') === true) await app.mqtt.send({ ...command, receivedAtMs: request.receivedAtMs, requestId: request.id })
  }),
  'claims-200': () => app.addHook('preHandler', async (request, reply) => {
    if (request.headers.traceparent !== undefined) await reply.send({ detail: 'Send `a` to topic `devices/1/commands`' })
  }),
  'drops-detail': () => app.addHook('onSend', async (_request, reply, payload) => reply.statusCode === 415 ? '{"status":415}' : payload),
  'logs-token': () => app.addHook('onRequest', async request => {
    if (request.headers.authorization?.includes('eyJ') === true) app.log.debug(request.headers.authorization)
  }),
  'logs-error': () => app.addHook('onRequest', async request => {
    if (request.headers.prefer !== undefined) app.log.error('unhandled')
  }),
  dies: () => app.addHook('onRequest', async request => {
    if (request.url.includes('?')) process.exit(1)
  }),
  leaks: () => app.addHook('onRequest', async () => { kept.push(Buffer.alloc(40_000)) }),
  'never-answers': () => app.addHook('onRequest', request => request.headers.prefer === undefined ? Promise.resolve() : new Promise(() => {}))
}

for (const [name, build] of Object.entries(faults)) if (name === process.env.FAULT) build()
await app.listen({ host: config.host, port: config.port })
