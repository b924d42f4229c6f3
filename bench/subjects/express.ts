// The same with Express 5 and jsonwebtoken.
import express from 'express'
import jwt from 'jsonwebtoken'
import mqtt from 'mqtt'

const client = await mqtt.connectAsync(String(process.env.MQTT_URL), { protocolVersion: 5 })
const { JWT_PUBLIC_KEY: publicKey, JWT_SECRET: secret } = process.env
const app = express()
app.use(express.json())

app.use((request, response, next) => {
  try {
    const token = String(request.headers.authorization).slice('Bearer '.length)
    jwt.verify(token, publicKey ?? String(secret), { algorithms: [publicKey === undefined ? 'HS256' : 'RS256'] })
    next()
  } catch {
    response.status(401).json({ detail: 'Unauthorized' })
  }
})

app.post('/messaging/send', async (request, response) => {
  const { imei, micro_op: microOp } = request.body as { imei: string, micro_op: string }
  const topic = `devices/${imei}/commands`
  await client.publishAsync(topic, microOp, { qos: 1 })
  response.json({ detail: `Send \`${microOp}\` to topic \`${topic}\`` })
})

app.listen(Number(process.env.PORT), '127.0.0.1')
