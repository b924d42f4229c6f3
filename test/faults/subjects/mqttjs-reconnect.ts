// What a server does that leaves everything to MQTT.js: its store, its reconnect, and a time-out
// of its own after which the caller is told "failed". It breaks two of the three promises, which
// is what it is for: a suite that passes it finds nothing.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import mqtt from 'mqtt'

const client = mqtt.connect(String(process.env.MQTT_URL), { protocolVersion: 5 })
client.on('error', () => {})

async function answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response.writeHead(client.connected ? 200 : 503).end()
    return
  }
  const { imei, micro_op: microOp } = await json(request) as { imei: string, micro_op: string }
  const topic = `devices/${imei}/commands`
  const userProperties = { id: randomUUID(), request_id: String(request.headers['x-request-id']) }
  const timeOut = AbortSignal.timeout(Number(process.env.MQTT_PUBLISH_TIMEOUT_MS))
  const timedOut = new Promise((_resolve, reject) => { timeOut.onabort = reject })
  const [status, detail] = await Promise.race([
    client.publishAsync(topic, microOp, { qos: 1, properties: { userProperties } }),
    timedOut
  ]).then(() => [200, `Send \`${microOp}\` to topic \`${topic}\``] as const, () => [406, 'Somthing went wrong'] as const)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ detail }))
}

createServer((request, response) => {
  answer(request, response).catch((error: unknown) => { response.writeHead(500).end(String(error)) })
}).listen(Number(process.env.PORT), String(process.env.HOST))
