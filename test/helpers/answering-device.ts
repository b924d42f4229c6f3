import type { IPublishPacket, MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { subscribe } from './subscriber.js'

/** Answers a command as an MQTT 5 device does: to its Response Topic, with its Correlation Data. */
export async function answer (client: MqttClient, packet: IPublishPacket | undefined, payload: string | Buffer, userProperties?: Readonly<Record<string, string>>): Promise<void> {
  const { responseTopic, correlationData } = packet?.properties ?? {}
  if (responseTopic === undefined || correlationData === undefined) throw new Error('the command asks for no answer')
  await client.publishAsync(responseTopic, payload, { qos: 1, properties: { correlationData, ...(userProperties !== undefined && { userProperties }) } })
}

/** Every device at once: answers each command for which somebody waits. */
export async function startAnsweringDevice (t: Test, url: string, toPayload: (packet: IPublishPacket) => string) {
  const device = await subscribe(t, url, 'devices/+/commands')
  device.client.on('message', (_topic, _payload, packet) => { answer(device.client, packet, toPayload(packet)).catch(t.fail) })
  return device
}
