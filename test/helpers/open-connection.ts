import type { Test } from 'tap'
import { openConnection, type ConnectionEvents, type ConnectOptions, type SubscribableLink } from '../../src/mqtt/connection.js'
import type { Publication } from '../../src/mqtt/publication.js'
import { startScriptedBroker, type ScriptedBrokerOptions } from './scripted-broker.js'
import { until } from './until.js'

/** A command as the publisher hands it to a connection. */
export const PUBLICATION: Publication = {
  id: 'id-1',
  topic: 'devices/1/commands',
  payload: 'push_down',
  contentType: 'text/plain',
  userProperties: { id: 'id-1', request_id: 'request-1' },
  expiresAtMs: Infinity
}

/** Opens a connection, dropped with the test, and keeps what it tells, but for what is told to `events`. */
export function open (t: Test, url: string, options: Partial<ConnectOptions> = {}, events: Partial<ConnectionEvents> = {}) {
  const seen = { links: [] as SubscribableLink[], pubacks: [] as Array<[number, number]>, subacks: [] as number[], messages: [] as unknown[][], ends: [] as string[] }
  const connection = openConnection(url, { clientId: 'messenger-test', protocolVersion: '5', ...options }, {
    onOpen (link) { seen.links.push(link) },
    onPuback (packetId, reasonCode) { seen.pubacks.push([packetId, reasonCode]) },
    onSuback (reasonCode) { seen.subacks.push(reasonCode) },
    onMessage (topic, payload, correlationData) { seen.messages.push([topic, payload.toString(), correlationData?.toString()]) },
    onEnd (reason) { seen.ends.push(reason) },
    ...events
  })
  t.teardown(() => { connection.drop('the test is over') })
  return { connection, ...seen }
}

/** Opens one to a broker that follows a script, and waits for its CONNACK. */
export async function openScripted (t: Test, script: ScriptedBrokerOptions = {}, options: Partial<ConnectOptions> = {}, events: Partial<ConnectionEvents> = {}) {
  const broker = await startScriptedBroker(t, script)
  const opened = open(t, broker.url, options, events)
  await until(() => opened.links.length > 0 || opened.ends.length > 0, 'the CONNACK')
  const [link] = opened.links
  if (link === undefined) throw new Error(`no link: ${opened.ends.join()}`)
  return { broker, link, ...opened }
}
