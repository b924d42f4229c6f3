import { connect, type Socket } from 'node:net'
import { isWhole, readBody, readStatus, toRequest } from './http-text.js'

/** Longest wait for an answer beyond that for the device, in milliseconds. */
const PATIENCE_MS = 5_000

/** What a caller asks for. */
export interface CallerOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly imei: string
  /** How long it waits for the device, in seconds. */
  readonly waitS: number
}

/**
 * A caller that sends commands to one device and waits for its answers, over a connection of its own. It has a plain socket: a
 * thousand callers share the machine with the server that they measure, and an HTTP client takes more of it than the server does.
 */
export function createCaller ({ url, headers, imei, waitS }: CallerOptions) {
  const target = new URL(url)
  const request = toRequest(target, { ...headers, prefer: `wait=${waitS}` }, JSON.stringify({ imei, micro_op: 'push_down' }))
  let socket: Socket | undefined
  let text = ''
  let answer = (_: string): void => {}

  function open (): Socket {
    const opened = connect(Number(target.port), target.hostname).setNoDelay().setEncoding('latin1')
    opened.on('data', chunk => {
      text += String(chunk)
      if (isWhole(text)) answer(`${readStatus(text)} ${JSON.parse(readBody(text)).reply}`)
    })
    opened.on('error', error => { answer(error.message) })
    opened.on('close', () => { answer('the connection was closed') })
    return opened
  }

  return {
    /** Sends, the first time over a new connection. @returns the status and the reply, or what went wrong. Never rejects */
    ask (): Promise<string> {
      text = ''
      socket ??= open()
      // It says so once, and may have when nobody asked.
      if (socket.destroyed) return Promise.resolve('the connection was closed before')
      socket.write(request)
      return new Promise(resolve => {
        const limit = setTimeout(() => { resolve('no answer') }, waitS * 1000 + PATIENCE_MS)
        answer = told => {
          clearTimeout(limit)
          resolve(told)
        }
      })
    },
    close (): void { socket?.destroy() }
  }
}
