import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { readAnswers, type Answer } from './answers.js'

/** What is written on a connection, and when to stop listening. */
export interface Sending {
  /** Latin-1: one character for each byte. */
  readonly bytes: string
  /** Where it is cut into writes of their own. */
  readonly cuts: readonly number[]
  /** Methods of the requests that get an answer each. */
  readonly methods: readonly string[]
  /** Whether the connection is of no use afterwards: our side is ended, and the server has to end its own. */
  readonly isLast: boolean
}

/** What came back. */
export interface Hearing {
  readonly answers: readonly Answer[]
  /** What came beside them. */
  readonly rest: string
  /** How it went on: ready for more, ended by the server, cut by it, or still silent at the time limit. */
  readonly fate: 'open' | 'ended' | 'reset' | 'silent'
}

/** Longest wait for an answer, or for the end of a connection, in milliseconds. */
const ANSWER_LIMIT_MS = 10_000

/**
 * How long the server has for what it may still answer before our side is ended, in milliseconds: it
 * answers nobody who has ended it. Where the time does not suffice, less is seen, and nothing wrong found.
 */
const LAST_WORD_MS = 20

/**
 * Callers as many as these, each with an address of its own: requests without a valid token are limited by
 * address, and most cases of a token are such. Only Linux has the whole 127.0.0.0/8 without setting it up.
 */
const ADDRESSES = 250
let opened = 0

function nextAddress (): string | undefined {
  opened += 1
  return process.platform === 'linux' ? `127.0.1.${1 + opened % ADDRESSES}` : undefined
}

/** A connection to the server that is made anew where the last one came to its end. */
export function createLane (port: number) {
  let current: Socket | undefined

  function open (): Socket {
    const localAddress = nextAddress()
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...(localAddress !== undefined && { localAddress }) })
    // Also when nobody listens any more.
    socket.on('error', () => {})
    return socket
  }

  async function send (sending: Sending): Promise<Hearing> {
    const socket = current ?? open()
    current = socket
    const hearing = await new Promise<Hearing>(resolve => {
      let bytes = ''
      let wasReset = false
      let isWritten = false
      const settle = (fate: Hearing['fate']) => {
        clearTimeout(limit)
        // Ours only: the socket listens to itself, too.
        socket.off('data', hear).off('end', endToo).off('error', noteReset).off('close', settleClosed)
        resolve({ ...readAnswers(bytes, sending.methods), fate })
      }
      const limit = setTimeout(() => { settle('silent') }, ANSWER_LIMIT_MS)
      /** An answer may come before all of its request was written: what is left must not get into the next one. */
      const settleIfComplete = () => {
        if (isWritten && !sending.isLast && readAnswers(bytes, sending.methods).answers.length >= sending.methods.length) settle('open')
      }
      const hear = (chunk: Buffer) => {
        bytes += chunk.toString('latin1')
        settleIfComplete()
      }
      const endToo = () => { socket.end() }
      const noteReset = () => { wasReset = true }
      const settleClosed = () => { settle(wasReset ? 'reset' : 'ended') }
      socket.on('data', hear).on('end', endToo).on('error', noteReset).on('close', settleClosed)
      write(socket, sending).then(() => {
        isWritten = true
        settleIfComplete()
      }, noteReset)
    })
    const closes = hearing.answers.at(-1)?.headers.get('connection') === 'close'
    if (hearing.fate !== 'open' || closes || hearing.rest !== '') close()
    return hearing
  }

  /** Leaves the connection. */
  function close (): void {
    // A reset, so that no port is kept waiting: there are many connections.
    current?.resetAndDestroy()
    current = undefined
  }

  return { send, close }
}

async function write (socket: Socket, { bytes, cuts, isLast }: Sending): Promise<void> {
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length || socket.destroyed) continue
    socket.write(bytes.slice(from, cut), 'latin1')
    from = cut
    await nextTurn()
  }
  if (socket.destroyed) return
  socket.write(bytes.slice(from), 'latin1')
  if (!isLast) return
  await sleep(LAST_WORD_MS)
  socket.end()
}
