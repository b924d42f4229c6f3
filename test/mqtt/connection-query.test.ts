import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { openConnection } from '../../src/mqtt/connection.js'
import { startScriptedBroker } from '../helpers/scripted-broker.js'
import { until } from '../helpers/until.js'

function open (t: Test, url: string) {
  const seen = { opens: 0, ends: [] as string[] }
  const connection = openConnection(url, { clientId: 'messenger-test', protocolVersion: '5' }, {
    onOpen () { seen.opens += 1 },
    onPuback () {},
    onSuback () {},
    onMessage () {},
    onEnd (reason) { seen.ends.push(reason) }
  })
  t.teardown(() => { connection.drop('the test is over') })
  return seen
}

t.test('takes no setting from the query of a URL', async t => {
  const broker = await startScriptedBroker(t)
  const seen = open(t, `${broker.url}/?clientId=foreign&clean=false&keepalive=1&protocolVersion=4&username=foreign`)
  await until(() => seen.opens === 1, 'the CONNACK')
  const { clientId, clean, keepalive, protocolVersion, username } = broker.connections[0]?.connect ?? {}
  t.strictSame({ clientId, clean, keepalive, protocolVersion, username }, {
    clientId: 'messenger-test', clean: true, keepalive: 15, protocolVersion: 5, username: undefined
  })
})

t.test('asks for a WebSocket with the query of its URL, which may be signed', async t => {
  const asked: Array<string | undefined> = []
  const server = createServer().listen(0, '127.0.0.1')
  server.on('upgrade', (request, socket) => {
    asked.push(request.url)
    socket.destroy()
  })
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const seen = open(t, `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt?clientId=foreign&X-Signature=a%2Fb%3D`)
  await until(() => seen.ends.length === 1, 'the end of the attempt')
  t.strictSame(asked, ['/mqtt?clientId=foreign&X-Signature=a%2Fb%3D'])
})
