import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isWhole, readStatus, toRequest } from './http-text.js'
import { headersOf, type LoadJob } from './load.js'

/** How often requests that are due are sent, in milliseconds. */
const STEP_MS = 1

/** Longest wait for the next answer, in milliseconds: longer than the server's own limits. */
const ANSWER_LIMIT_MS = 20_000

/** When the answers of so many requests came. */
export interface Timing {
  /** Of each answer, in milliseconds. */
  readonly latencies: number[]
  readonly startMs: number
  readonly lastMs: number
}

export type SocketLoad = Awaited<ReturnType<typeof openSocketLoad>>

/**
 * Opens sockets of its own and sends requests over them, for what autocannon cannot do.
 *
 * With a rate, autocannon sends as fast as it can until the requests of a second are used up, and rests until the next one: at each moment
 * that is all of the capacity, or nothing. Here they are spread evenly, whatever the answers do: what finds no free connection waits for one,
 * and its time counts. And it opens all connections at once, of which a few thousand overflow the queue of the system, which has the others
 * try again for seconds. Here they are opened one after the other, before the load.
 */
export async function openSocketLoad (job: LoadJob) {
  const target = new URL(job.url)
  const nextRequest = createRequests(job, target)
  const statuses = new Map<string, number>()
  const free: Socket[] = []
  const sockets: Socket[] = []
  const sinceMs = new Map<Socket, number>()
  let errors = 0
  let latencies: number[] = []
  let lastMs = 0
  /** When the request became due that a socket with its answer sends next; undefined: there is none. */
  let takeNext = (): number | undefined => undefined

  for (let n = 0; n < job.connections; n += 1) {
    const socket = connect(Number(target.port), target.hostname).setNoDelay()
    await once(socket, 'connect')
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', chunk => {
      text += String(chunk)
      if (!isWhole(text)) return
      const status = readStatus(text)
      text = ''
      receive(socket, status)
    })
    socket.on('error', () => { errors += 1 })
    socket.on('close', () => { errors += 1 })
    sockets.push(socket)
    free.push(socket)
  }

  function receive (socket: Socket, status: string): void {
    lastMs = performance.now()
    latencies.push(lastMs - (sinceMs.get(socket) ?? NaN))
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    const dueMs = takeNext()
    if (dueMs === undefined) free.push(socket)
    else send(socket, dueMs)
  }

  function send (socket: Socket, dueMs: number): void {
    sinceMs.set(socket, dueMs)
    socket.write(nextRequest())
  }

  /** Waits for the answers of what a function sends. */
  async function time (amount: number, sendAll: () => Promise<void> | void): Promise<Timing> {
    latencies = []
    const startMs = lastMs = performance.now()
    await sendAll()
    while (latencies.length < amount && performance.now() < lastMs + ANSWER_LIMIT_MS) await sleep(STEP_MS)
    return { latencies, startMs, lastMs }
  }

  return {
    statuses,
    /** Connections that failed, or were closed by the server. */
    get errors () { return errors },

    /** So many requests as fast as they are answered: each connection sends the next one when it has its answer. */
    runFull (amount: number): Promise<Timing> {
      let sent = Math.min(amount, free.length)
      takeNext = () => {
        if (sent === amount) return undefined
        sent += 1
        return lastMs
      }
      return time(amount, () => {
        for (const socket of free.splice(0, sent)) send(socket, lastMs)
      })
    },

    /** So many requests, so many a second. */
    runAtRate (amount: number, rate: number): Promise<Timing> {
      const waiting: number[] = []
      takeNext = () => waiting.shift()
      return time(amount, async () => {
        const startMs = performance.now()
        for (let due = 0; due < amount;) {
          const nowMs = performance.now()
          const target = Math.min(amount, Math.floor((nowMs - startMs) / 1000 * rate))
          for (; due < target; due += 1) {
            // Its time counts from here, also where this program is late.
            const dueMs = startMs + (due + 1) / rate * 1000
            const socket = free.shift()
            if (socket === undefined) waiting.push(dueMs)
            else send(socket, dueMs)
          }
          await sleep(STEP_MS)
        }
      })
    },

    close (): void {
      for (const socket of sockets) socket.removeAllListeners('close').destroy()
    }
  }
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
