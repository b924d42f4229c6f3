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

/** Starts a Fastify that has the messenger's body schema and a constant answer. */
export function startBareFastify (credentials: Credentials): Promise<Subject> {
  return start('bare Fastify', 'subjects/bare-fastify.js', {}, credentials)
}

/** Starts the messenger as in production: its own start script, JSON log at level info, to /dev/null. */
export async function startMessenger (credentials: Credentials, broker: Broker): Promise<Subject> {
  const env = { MQTT_URL: broker.url, JWT_PUBLIC_KEY: credentials.publicKey }
  const subject = await start('messenger', '../src/server.js', env, credentials)
  await broker.settle(1)
  return { ...subject, publishes: true }
}

/** Starts the messenger with so many workers, 1 for none, and a Redis that it is connected to either way. */
export async function startWithWorkers (credentials: Credentials, broker: Broker, workers: number, redisUrl: string): Promise<Subject> {
  const env = { MQTT_URL: broker.url, JWT_PUBLIC_KEY: credentials.publicKey, REDIS_URL: redisUrl, WORKERS: String(workers) }
  const subject = await start(`messenger, WORKERS=${workers}`, '../src/server.js', env, credentials)
  await broker.settle(1)
  return { ...subject, publishes: true }
}

async function start (name: string, script: string, env: Readonly<Record<string, string>>, credentials: Credentials): Promise<Subject> {
  const port = await findFreePort()
  const file = fileURLToPath(new URL(script, import.meta.url))
  const url = `http://127.0.0.1:${port}${PATH}`
  const startedMs = performance.now()
  // Nothing of our own environment: a MQTT_TOPIC in it would be another benchmark.
  const child = launch(process.execPath, [file], {
    core: 'server',
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), ...env }
  })
  await untilAccepted(name, child, url, credentials)
  const startMs = performance.now() - startedMs
  if (child.pid === undefined) throw new Error(`${name} has no process id`)
  return { name, pid: child.pid, url, publishes: false, startMs, stop: () => stop(child) }
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
