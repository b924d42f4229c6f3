import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** What became of one command, as its caller saw it. */
export interface Answer {
  /** Names the exchange, and by the user property `request_id` the publish. */
  readonly requestId: string
  /** Every command has a device of its own. */
  readonly imei: string
  /** Monotonic milliseconds. */
  readonly sentAtMs: number
  readonly answeredAtMs: number
  /** HTTP status, or why there was no answer, e.g. `ECONNRESET`. */
  readonly status: number | string
  readonly body: string
  readonly proxyStatus: string | undefined
  readonly retryAfter: string | undefined
}

/** Where commands are posted, and as whom. */
export interface ClientOptions {
  readonly port: number
  /** Value of the Authorization header. */
  readonly authorization: string
}

export type Client = ReturnType<typeof createClient>

/** Longest wait for an answer, in milliseconds: a server that is silent for longer has forgotten its caller. */
const ANSWER_LIMIT_MS = 20_000

/** Free connections that are kept for the next command. */
const MOST_FREE_CONNECTIONS = 2_000

/** Posts commands over keep-alive connections and keeps every answer. */
export function createClient ({ port, authorization }: ClientOptions) {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: MOST_FREE_CONNECTIONS })
  const run = randomBytes(4).toString('hex')
  const answers: Answer[] = []
  let commands = 0

  /** Posts one command. Never rejects. */
  async function post (): Promise<Answer> {
    commands += 1
    const imei = String(commands).padStart(15, '0')
    const requestId = `${run}-${imei}`
    const sentAtMs = performance.now()
    const outcome = await exchange(requestId, JSON.stringify({ imei, micro_op: 'push_down' }))
    const answer = { requestId, imei, sentAtMs, answeredAtMs: performance.now(), ...outcome }
    answers.push(answer)
    return answer
  }

  function exchange (requestId: string, body: string): Promise<Pick<Answer, 'status' | 'body' | 'proxyStatus' | 'retryAfter'>> {
    const headers = { authorization, 'content-type': 'application/json', 'content-length': body.length, 'x-request-id': requestId }
    return new Promise(resolve => {
      const fail = (error: NodeJS.ErrnoException) => {
        resolve({ status: error.code ?? error.message, body: '', proxyStatus: undefined, retryAfter: undefined })
      }
      const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/messaging/send', headers }, response => {
        const { statusCode = 0, headers } = response
        text(response).then(body => {
          resolve({ status: statusCode, body, proxyStatus: headers['proxy-status']?.toString(), retryAfter: headers['retry-after'] })
        }, fail)
      })
      sent.setTimeout(ANSWER_LIMIT_MS, () => { sent.destroy(new Error('no answer in time')) })
      sent.on('error', fail)
      sent.end(body)
    })
  }

  return {
    post,
    answers,
    /** Closes the connections. */
    close (): void { agent.destroy() }
  }
}
