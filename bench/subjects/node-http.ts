// The least that an HTTP server in Node can do: read the request, answer a constant.
import { createServer } from 'node:http'

const ANSWER = JSON.stringify({ detail: 'Send `push_down` to topic `devices/26372637216372637126376237/commands`' })

createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER)
  })
}).listen(Number(process.env.PORT), '127.0.0.1')
