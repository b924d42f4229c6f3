import { parseArgs } from 'node:util'
import mqtt from 'mqtt'
import { demoClaims } from '../banner.js'
import { loadConfig } from '../config/config.js'
import { DEMO_FILE, readDemoState } from '../demo.js'
import { withDotEnv } from '../dotenv.js'
import { withoutUndefined } from '../without-undefined.js'
import { parseClaims } from './claims.js'

const USAGE = `Usage: npm run -s device -- <imei> [--claim KEY=VALUE]

Is a device: subscribes to the topic of the imei and prints each command it gets, as
"<time> <topic> <payload>". Connects to the first broker of MQTT_URL or, in demo mode,
to the one in ${DEMO_FILE}. Ctrl-C ends it.

  --claim KEY=VALUE  a claim that MQTT_TOPIC has, as callers have it in their tokens; may be
                     repeated (default: as npm run -s token has it)
`

try {
  run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
  process.exitCode = 1
}

function run (args: string[]): void {
  const { positionals: [imei, ...more], values } = parseArgs({
    args,
    allowPositionals: true,
    options: { claim: { type: 'string', multiple: true, default: [] } }
  })
  if (imei === undefined || more.length > 0) throw new Error('name one imei')
  const config = loadConfig(withDotEnv(process.env))
  const { topic, urls, username, password, ca, cert, key, protocolVersion } = config.mqtt
  const url = urls[0] ?? readDemoState().broker
  if (url === undefined) throw new Error(`there is no broker in ${DEMO_FILE}: is the messenger running? npm start`)
  const filter = topic.build(imei, { ...demoClaims(config), ...parseClaims(values.claim) })

  const client = mqtt.connect(url, {
    protocolVersion: protocolVersion === '5' ? 5 : 4,
    ...withoutUndefined({ username, password, ca, cert, key })
  })
  client.on('connect', () => {
    client.subscribe(filter, { qos: 1 }, error => {
      process.stderr.write(error === null ? `waiting for commands on ${filter} (Ctrl-C ends)\n` : `${error.message}\n`)
    })
  })
  client.on('message', (topicName, payload) => {
    process.stdout.write(`${new Date().toISOString()} ${topicName} ${payload.toString()}\n`)
  })
  client.on('error', (error: Error & { code?: unknown }) => {
    const hint = error.code === 'ECONNREFUSED' && urls.length === 0 ? ': is the messenger running? npm start' : ''
    process.stderr.write(`${error.message}${hint}\n`)
  })
  process.once('SIGINT', () => { client.end() })
  process.once('SIGTERM', () => { client.end() })
}
