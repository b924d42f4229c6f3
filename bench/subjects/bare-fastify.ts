// The yardstick: what the same route, with the same schemas, costs where Fastify does nothing but validate and answer.
import Fastify from 'fastify'
import { listen } from '../../src/listen.js'
import { sendDocs } from '../../src/routes/messaging/send-docs.js'
import { createSendBody } from '../../src/schemas/messaging.js'

// As in src/app.ts.
const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true, verbose: true } } })

app.post('/messaging/send', {
  schema: { ...sendDocs, body: createSendBody({ microOps: undefined, expires: true }) }
}, async () => ({ detail: 'Send `push_down` to topic `devices/26372637216372637126376237/commands`' }))

await listen(app, { host: '127.0.0.1', port: Number(process.env.PORT) })
