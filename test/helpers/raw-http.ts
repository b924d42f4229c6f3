import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { until } from './until.js'

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
    received: (part: string) => until(() => text.includes(part), `${part} in: ${text}`)
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
