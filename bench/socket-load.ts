import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isWhole, readStatus, toRequest } from './http-text.js'
import { headersOf, type LoadJob } from './load.js'

/** How often requests that are due are sent, in milliseconds. */
const STEP_MS = 1

/**
 * Answers within this time from the start of a load with a rate are counted, and their latencies are not, in seconds: until this
 * program is compiled it is not fast enough itself, and what it was late with would be taken for a wait.
 */
export const COLD_S = 1

/** Longest wait for the next answer, in milliseconds: longer than the server's own limits. */
const ANSWER_LIMIT_MS = 20_000

/** The answers of a load, as they came. */
export interface Answers {
  readonly statuses: Map<string, number>
  readonly errors: number
  readonly latencies: number[]
  readonly startMs: number
  readonly lastMs: number
}

/**
 * Sends requests over sockets of its own, for what autocannon cannot do.
 *
 * With a rate, autocannon sends as fast as it can until the requests of a second are used up, and rests until the next one: at each moment
 * that is all of the capacity, or nothing. Here they are spread evenly, whatever the answers do: what finds no free connection waits for one,
 * and its time counts. And it opens all connections at once, of which a few thousand overflow the queue of the system, which has the others
 * try again for seconds. Here they are opened one after the other, before the load.
 */
export async function runOverSockets (job: LoadJob): Promise<Answers> {
  const { url, connections, amount, rate = Infinity } = job
  const target = new URL(url)
  const nextRequest = createRequests(job, target)
  const statuses = new Map<string, number>()
  const latencies: number[] = []
  const waiting: number[] = []
  const free: Socket[] = []
  const sockets: Socket[] = []
  const dueMs = new Map<Socket, number>()
  let errors = 0
  let sent = 0
  let answered = 0
  let lastMs = 0

  for (let n = 0; n < connections; n += 1) {
    const socket = connect(Number(target.port), target.hostname).setNoDelay()
    await once(socket, 'connect')
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', chunk => {
      text += String(chunk)
      if (!isWhole(text)) return
      lastMs = performance.now()
      answered += 1
      if (rate === Infinity || lastMs > startMs + COLD_S * 1000) latencies.push(lastMs - (dueMs.get(socket) ?? NaN))
      const status = readStatus(text)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      text = ''
      const next = rate === Infinity && sent < amount ? lastMs : waiting.shift()
      if (next === undefined) free.push(socket)
      else send(socket, next)
    })
    socket.on('error', () => { errors += 1 })
    socket.on('close', () => { errors += 1 })
    sockets.push(socket)
    free.push(socket)
  }

  function send (socket: Socket, sinceMs: number): void {
    dueMs.set(socket, sinceMs)
    socket.write(nextRequest())
    sent += 1
  }

  async function sendAtRate (): Promise<void> {
    for (let due = 0; due < amount;) {
      const nowMs = performance.now()
      const target = Math.min(amount, Math.floor((nowMs - startMs) / 1000 * rate))
      for (; due < target; due += 1) {
        const socket = free.shift()
        if (socket === undefined) waiting.push(nowMs)
        else send(socket, nowMs)
      }
      await sleep(STEP_MS)
    }
  }

  const startMs = performance.now()
  lastMs = startMs
  if (rate === Infinity) for (const socket of free.splice(0)) send(socket, startMs)
  else await sendAtRate()
  const isMissing = () => answered < amount
  while (isMissing() && performance.now() < lastMs + ANSWER_LIMIT_MS) await sleep(STEP_MS)
  for (const socket of sockets) socket.removeAllListeners('close').destroy()
  return { statuses, errors, latencies, startMs, lastMs }
}

/** Makes a function that gives the requests in turn: made once where they differ by their bodies only. */
function createRequests (job: LoadJob, target: URL): () => Buffer | string {
  const { bodies, withKeys = false, authorizations = [] } = job
  const make = (n: number) => toRequest(target, headersOf(job, n), bodies[n % bodies.length] ?? '')
  let made = 0
  if (withKeys || authorizations.length > 0) return () => make(made += 1)
  const ready = bodies.map((_, n) => make(n))
  return () => ready[(made += 1) % ready.length] ?? ''
}
