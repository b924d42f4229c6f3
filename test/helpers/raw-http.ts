import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { EXAMPLE, token, type App } from './app.js'
import { until } from './until.js'

/** Opens the server under test on a free loopback port. */
export async function listen (t: Test, app: App): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => { app.server.closeAllConnections() })
  return (app.server.address() as AddressInfo).port
}

/** A whole request to send a command, with a valid token, as it goes over the wire. */
export async function writeOut (headers: Readonly<Record<string, string>> = {}, command: object = EXAMPLE): Promise<string> {
  const body = JSON.stringify(command)
  const all = { Host: 'a', Authorization: `Bearer ${await token()}`, 'Content-Type': 'application/json', 'Content-Length': String(body.length), ...headers }
  return `POST /messaging/send HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

/** A TCP connection on which a test writes what no HTTP client would. */
export async function openRaw (t: Test, port: number) {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let ended = false
  socket.setEncoding('utf8')
  socket.on('data', chunk => { text += String(chunk) })
  socket.on('close', () => { ended = true })
  socket.on('error', () => {})
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  return {
    socket,
    write (data: string) { socket.write(data) },
    /** What was received so far. */
    get text () { return text },
    ended: () => until(() => ended, 'the end of the connection'),
    received: (part: string) => until(() => text.includes(part), () => `${part} in: ${text}`)
  }
}

/** The first response of a raw connection, in parts. */
export function parseResponse (text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map(line => {
    const [name = '', ...value] = line.split(': ')
    return [name.toLowerCase(), value.join(': ')]
  }))
  return { statusLine, headers, body }
}
