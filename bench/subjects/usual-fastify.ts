// What one writes first: Fastify, @fastify/jwt with its cache, MQTT.js. It keeps none of the promises: it
// knows no time-out, tells a refusal by a thrown error, and sends what it held back after a reconnect.
import fastifyJwt from '@fastify/jwt'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import mqtt from 'mqtt'

const client = await mqtt.connectAsync(String(process.env.MQTT_URL), { protocolVersion: 5 })
const app = Fastify().withTypeProvider<TypeBoxTypeProvider>()
const { JWT_PUBLIC_KEY: publicKey, JWT_SECRET: secret } = process.env
await app.register(fastifyJwt, {
  secret: publicKey === undefined ? String(secret) : { public: publicKey },
  verify: { algorithms: [publicKey === undefined ? 'HS256' : 'RS256'], cache: true }
})

app.post('/messaging/send', {
  schema: { body: Type.Object({ imei: Type.String(), micro_op: Type.String() }), response: { 200: Type.Object({ detail: Type.String() }) } },
  onRequest: async request => { await request.jwtVerify() }
}, async request => {
  const { imei, micro_op: microOp } = request.body
  const topic = `devices/${imei}/commands`
  await client.publishAsync(topic, microOp, { qos: 1 })
  return { detail: `Send \`${microOp}\` to topic \`${topic}\`` }
})

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
