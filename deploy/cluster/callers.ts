import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a caller knows of its command in the end; `none`: nothing, it gave up asking. */
export type Final = 200 | 406 | 504 | 'none' | 'other'

/** One request of a caller, and what came of it. */
export interface Exchange {
  /** Status of an answer of the messenger; undefined: it gave none, and what that meant is unknown. */
  readonly status: number | undefined
  /** Whether it is an answer that was given before (`Idempotency-Replayed`). */
  readonly isReplayed: boolean
  /** When the answer arrived, or the exchange failed, by `performance.now()`. */
  readonly atMs: number
}

/** One command, from its first request to the last. */
export interface Command {
  readonly imei: string
  /** In their order: each begins after the one before has ended for its caller. */
  readonly exchanges: Exchange[]
  final: Final | undefined
  /** Status and body of an answer that nobody should get. */
  surprise: string | undefined
}

export interface CallersOptions {
  readonly port: number
  readonly token: string
  /** How long a command is asked for again, in milliseconds. */
  readonly patienceMs: number
}

interface Answer extends Exchange {
  readonly body: string
}

/** Between two looks at how many commands are due, in milliseconds. */
const TICK_MS = 5

/** Before a command is asked for again, in milliseconds. */
const PAUSE_MS = 500

/** Longest wait for an answer, in milliseconds. */
const ANSWER_LIMIT_MS = 20_000

export type Callers = ReturnType<typeof createCallers>

/** Callers that send so many commands a second, each with a key, and ask by it for what they do not know. */
export function createCallers ({ port, token, patienceMs }: CallersOptions) {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })
  const commands: Command[] = []
  const pending = new Set<Promise<void>>()
  const closing = new AbortController()
  const { signal } = closing
  const counts = { proxyErrors: 0, repeats: 0, running: 0, unavailable: 0, upgraded: 0 }

  /** Sends a new command and asks until its outcome is known. */
  async function send (): Promise<void> {
    const imei = String(commands.length + 1).padStart(15, '0')
    const command: Command = { imei, exchanges: [], final: undefined, surprise: undefined }
    commands.push(command)
    const limitMs = performance.now() + patienceMs
    let isUnknown = false
    while (!signal.aborted) {
      const { body, ...exchange } = await post(imei)
      command.exchanges.push(exchange)
      const final = read(exchange.status, body)
      if (final === 'other') command.surprise = `${exchange.status} ${body}`
      if (final === 200 && isUnknown) counts.upgraded += 1
      if (final === 504) isUnknown = true
      if (final !== undefined && final !== 504) {
        command.final = final
        return
      }
      if (performance.now() > limitMs) {
        command.final = isUnknown ? 504 : 'none'
        return
      }
      await sleep(PAUSE_MS)
      counts.repeats += 1
    }
  }

  /** What an answer says; undefined where it says nothing and the command has to be asked for again. */
  function read (status: number | undefined, body: string): Final | undefined {
    if (status === undefined) {
      counts.proxyErrors += 1
      return undefined
    }
    if (status === 200 || status === 406) return status
    if (status === 504 && body.includes('"delivery_unknown"')) return 504
    if (status === 409) counts.running += 1
    else if (status === 503) counts.unavailable += 1
    else return 'other'
    return undefined
  }

  function post (imei: string): Promise<Answer> {
    const body = JSON.stringify({ imei, micro_op: 'push_down' })
    const headers = {
      authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': body.length, 'idempotency-key': `drill-${imei}`
    }
    return new Promise(resolve => {
      const fail = () => { resolve({ status: undefined, isReplayed: false, atMs: performance.now(), body: '' }) }
      const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/messaging/send', headers }, response => {
        const atMs = performance.now()
        const { statusCode, headers } = response
        // Every answer of the messenger has an X-Request-Id, and none of nginx's own.
        const status = headers['x-request-id'] === undefined ? undefined : statusCode
        text(response).then(body => { resolve({ status, isReplayed: headers['idempotency-replayed'] === 'true', atMs, body }) }, fail)
      })
      sent.setTimeout(ANSWER_LIMIT_MS, () => { sent.destroy(new Error('no answer in time')) })
      sent.on('error', fail)
      sent.end(body)
    })
  }

  return {
    commands,
    counts,
    /** How many wait for their outcome. */
    get pending () { return pending.size },
    /** Sends so many commands a second until it is over, and waits until each of them has its outcome, or `close` gives all of them up. */
    async run (perSecond: number, isOver: () => boolean): Promise<void> {
      const startMs = performance.now()
      while (!isOver() && !signal.aborted) {
        const elapsedS = (performance.now() - startMs) / 1000
        while (commands.length < elapsedS * perSecond) {
          const answered = send().finally(() => pending.delete(answered))
          pending.add(answered)
        }
        await sleep(TICK_MS)
      }
      await Promise.all(pending)
    },
    /** Ends the run and closes the connections. */
    close (): void {
      closing.abort()
      agent.destroy()
    }
  }
}
