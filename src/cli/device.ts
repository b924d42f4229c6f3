import { demoClaims } from '../banner.js'
import { systemClock } from '../clock.js'
import { loadConfig } from '../config/config.js'
import { DEMO_FILE, readDemoState } from '../demo.js'
import { withDotEnv } from '../dotenv.js'
import { DEFAULT_REPLY } from './device/answer.js'
import { startFleet } from './device/fleet.js'
import { readOptions, type Options } from './device/options.js'
import { showStatus } from './device/status.js'
import { USAGE } from './device/usage.js'

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) process.stdout.write(USAGE)
  else run(options)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
  process.exitCode = 1
}

function run (options: Options): void {
  const { imeis, claims, prints } = options
  const config = loadConfig(withDotEnv(process.env))
  const { topic, urls, ca, cert, key } = config.mqtt
  const url = urls[0] ?? readDemoState().broker
  if (url === undefined) throw new Error(`there is no broker in ${DEMO_FILE}: is the messenger running? npm start`)
  const allClaims = { ...demoClaims(config), ...claims }
  const topicOf = (imei: string) => topic.build(imei, allClaims)
  const [first = '', ...others] = imeis
  const whose = others.length === 0 ? topicOf(first) : `${topicOf(first)} and ${others.length} more`

  const fleet = startFleet({
    ...options,
    topicOf,
    reply: options.reply ?? DEFAULT_REPLY,
    clock: systemClock,
    link: {
      url,
      protocolVersion: options.protocolVersion ?? config.mqtt.protocolVersion,
      isPersistent: options.isPersistent,
      // Nobody else is offered the password of the messenger.
      ...(options.username === undefined
        ? { username: config.mqtt.username, password: config.mqtt.password }
        : { username: options.username, password: options.password }),
      ca,
      cert,
      key
    }
  }, {
    onAllReady () { say(`waiting for commands on ${whose} (Ctrl-C ends)`) },
    onCommand (topicName, payload) {
      if (prints) say(`${new Date().toISOString()} ${topicName} ${toLine(payload)}`, process.stdout)
    },
    onDropped (why, topicName, payload) {
      if (prints) say(`${new Date().toISOString()} ${topicName} ${toLine(payload)} (${why}: not executed)`)
    },
    onFault (message) {
      const hint = message.includes('ECONNREFUSED') && urls.length === 0 ? ': is the messenger running? npm start' : ''
      say(`${message}${hint}`)
    }
  })
  // One device has its commands to show.
  const status = others.length === 0
    ? undefined
    : showStatus({ output: process.stderr, columns: (): number | undefined => process.stderr.columns, clock: systemClock, count: imeis.length, tally: fleet.tally })

  function say (line: string, output: NodeJS.WritableStream = process.stderr): void {
    status?.clear()
    output.write(`${line}\n`)
  }

  let isStopping = false
  const stop = async () => {
    if (isStopping) return
    isStopping = true
    status?.stop()
    await fleet.stop()
  }
  // Again and again: a terminal signals the whole group of processes, and npm passes on what it gets.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)
  // Who read it has gone, e.g. `head`.
  process.stdout.on('error', stop)
}

/** What came from the broker, as one line that does nothing to a terminal. */
function toLine (payload: string): string {
  return /\p{Cc}/u.test(payload) ? JSON.stringify(payload).replace(/\p{Cc}/gu, toEscape) : payload
}

function toEscape (control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
}
