import type { ChildProcess } from 'node:child_process'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Broker } from './broker.js'
import { findFreePort, isOver, launch, stop } from './processes.js'
import { BODIES, PATH, type Credentials } from './request.js'

/** A server under test, which has answered 200 once. */
export interface Subject {
  readonly name: string
  readonly pid: number
  readonly url: string
  /** Whether what it answers 200 must have been delivered. */
  readonly publishes: boolean
  /** From the start of the process to the first 200, in milliseconds. */
  readonly startMs: number
  stop(): Promise<void>
}

/** Longest wait for a server's first 200, in milliseconds. */
const START_LIMIT_MS = 15_000

const POLL_MS = 5

/** Longest wait for one answer, in milliseconds: longer than the messenger's own limits. */
const ANSWER_LIMIT_MS = 10_000

/** What to start, and how. */
export interface SubjectOptions {
  readonly name: string
  /** Beside this file. */
  readonly script: string
  /** Started in place of Node.js with the script. */
  readonly program?: string | undefined
  readonly publishes: boolean
  readonly broker: Broker
  readonly credentials: Credentials
  readonly env: Readonly<Record<string, string>>
  /** Flags of Node.js. Default: none. */
  readonly flags?: readonly string[]
}

/** Starts the messenger as in production: its own start script, JSON log at level info, to /dev/null. */
export function startMessenger (credentials: Credentials, broker: Broker): Promise<Subject> {
  return startSubject({ name: 'messenger', script: '../src/server.js', publishes: true, broker, credentials, env: {} })
}

/** Starts a server and waits for its first 200. */
export async function startSubject ({ name, script, program, publishes, broker, credentials, env, flags = [] }: SubjectOptions): Promise<Subject> {
  const port = await findFreePort()
  const file = fileURLToPath(new URL(script, import.meta.url))
  const url = `http://127.0.0.1:${port}${PATH}`
  const startedMs = performance.now()
  // Nothing of our own environment: a MQTT_TOPIC in it would be another benchmark.
  const [command, args] = program === undefined ? [process.execPath, [...flags, file]] as const : [program, []] as const
  const child = launch(command, args, {
    core: 'server',
    env: {
      PATH: process.env.PATH ?? '', NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), METRICS_PORT: '0', MQTT_URL: broker.url, ...credentials.env, ...env
    }
  })
  await untilAccepted(name, child, url, credentials)
  const startMs = performance.now() - startedMs
  if (child.pid === undefined) throw new Error(`${name} has no process id`)
  await broker.settle(publishes ? 1 : 0)
  return { name, pid: child.pid, url, publishes, startMs, stop: () => stop(child) }
}

async function untilAccepted (name: string, child: ChildProcess, url: string, credentials: Credentials): Promise<void> {
  const limitMs = performance.now() + START_LIMIT_MS
  let last: number | string = ''
  while (last !== 200) {
    if (isOver(child)) throw new Error(`${name} ended before its first 200`)
    if (performance.now() > limitMs) throw new Error(`${name} answered no 200 in ${START_LIMIT_MS} ms, but: ${last}`)
    last = await post(url, credentials)
    if (last !== 200) await sleep(POLL_MS)
  }
}

/** Posts one command on a connection of its own. @returns the status, or the code of a connection error */
function post (url: string, { headers }: Credentials): Promise<number | string> {
  const [body = ''] = BODIES
  const options = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent: false,
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS)
  }
  return new Promise(resolve => {
    request(url, options, response => {
      response.resume().on('end', () => { resolve(response.statusCode ?? 0) })
    }).on('error', (error: NodeJS.ErrnoException) => { resolve(error.code ?? error.message) }).end(body)
  })
}
