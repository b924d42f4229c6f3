import { request, type Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Longest wait for something to come about, in milliseconds. */
const LIMIT_MS = 50_000

/** Sends a command and waits for its device. @returns the status and the reply, or what went wrong */
export function sendAndWait (url: string, agent: Agent, headers: Readonly<Record<string, string>>, imei: string, waitS: number): Promise<string> {
  return new Promise(resolve => {
    const sent = request(url, { method: 'POST', agent, headers: { ...headers, prefer: `wait=${waitS}` } }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', chunk => { body += String(chunk) })
      response.on('end', () => { resolve(`${response.statusCode} ${JSON.parse(body).reply}`) })
    })
    sent.on('error', error => { resolve(error.message) })
    sent.end(JSON.stringify({ imei, micro_op: 'push_down' }))
  })
}

/** Waits until something is so. @throws where it takes too long */
export async function until (condition: () => boolean, what: string): Promise<void> {
  const limitMs = performance.now() + LIMIT_MS
  while (!condition()) {
    if (performance.now() > limitMs) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await sleep(1)
  }
}
