import { ANSWERED_TOPIC } from './broker.js'
import type { Bench } from './measure.js'
import { BODIES, PATH } from './request.js'
import { startSubject, type Subject } from './subjects.js'

/** A server, and the requests that it is loaded with. */
export interface Contender {
  readonly name: string
  /** Script to start, beside this file. */
  readonly script: string
  /** Program to start in its place. */
  readonly program?: string
  /** Variables of its own, beside address, broker and key. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether what it answers 200 must have been delivered. Default: yes. */
  readonly publishes?: boolean
  readonly path?: string
  readonly bodies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Whether each request has an `Idempotency-Key` of its own. */
  readonly withKeys?: boolean
  /** Commands of one request. Default: 1. All figures are for one command, but for the latencies: those are of a request. */
  readonly commands?: number
  /** HTTP connections. Default: those of the run. */
  readonly connections?: number
}

/** Commands of a bulk request: the most that it may have. */
const BULK_COMMANDS = 1000

/** Callers that send bulks: with those of the other loads, tens of thousands of commands would be held at once, which no single caller does. */
const BULK_CONNECTIONS = 4

const MESSENGER = '../src/server.js'
const BULK_BODY = `{"commands":[${Array.from({ length: BULK_COMMANDS }, (_, index) => BODIES[index % BODIES.length]).join(',')}]}`

/** The yardstick: all ratios are to this one. */
export const BARE: Contender = { name: 'bare Fastify, same schemas', script: 'subjects/bare-fastify.js', publishes: false }

/** What one writes first, without any of the promises. */
export const USUAL: Contender = { name: 'Fastify + @fastify/jwt + MQTT.js', script: 'subjects/usual-fastify.js' }

/** The name of {@link createGo}'s contender. */
export const GO_NAME = 'Go net/http + golang-jwt + Paho'

/** The same in Go. @param program as it was built */
export function createGo (program: string): Contender {
  return { name: GO_NAME, script: '', program }
}

/** The messenger as it is started in production. */
export const PLAIN: Contender = { name: 'messenger', script: MESSENGER }

/** Many commands in one request. */
export const BULK: Contender = {
  name: `messenger, bulk of ${BULK_COMMANDS}`, script: MESSENGER, path: `${PATH}/bulk`, bodies: [BULK_BODY], commands: BULK_COMMANDS, connections: BULK_CONNECTIONS
}

/** Everything that is compared. */
export const CONTENDERS: readonly Contender[] = [
  { name: 'node:http, constant answer', script: 'subjects/node-http.js', publishes: false },
  BARE,
  USUAL,
  { name: 'Express 5 + jsonwebtoken + MQTT.js', script: 'subjects/express.js' },
  PLAIN,
  { name: 'messenger, MQTT_PAYLOAD=json', script: MESSENGER, env: { MQTT_PAYLOAD: 'json' } },
  { name: 'messenger, Idempotency-Key', script: MESSENGER, env: { IDEMPOTENCY_MAX_RECORDS: '10000000' }, withKeys: true },
  { name: 'messenger, Prefer: wait', script: MESSENGER, env: { MQTT_TOPIC: ANSWERED_TOPIC }, headers: { prefer: 'wait=10' } },
  BULK
]

/** Callers beyond the window of 1,000 wait in line: on a slow machine longer than the second after which they are refused, and there is nothing to measure. */
const PATIENCE = { MQTT_QUEUE_TIMEOUT_MS: '5000' }

/** Starts the server of a contender. */
export function startContender ({ broker, credentials, connections }: Bench, { name, script, program, env, publishes = true }: Contender): Promise<Subject> {
  return startSubject({ name, script, program, publishes, broker, credentials, env: { ...connections > 1_000 && PATIENCE, ...env } })
}
