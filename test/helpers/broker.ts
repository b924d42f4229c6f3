import type { Test } from 'tap'
import { startEmbeddedBroker } from '../../src/mqtt/embedded-broker.js'
import { skipWithoutMosquitto, startMosquitto } from './mosquitto.js'

/** A real broker: Mosquitto where the machine has it, the embedded one otherwise. */
export async function startBroker (t: Test): Promise<{ url: string }> {
  if (skipWithoutMosquitto === false) return await startMosquitto(t)
  const broker = await startEmbeddedBroker(0)
  t.teardown(() => broker.stop())
  return broker
}
