import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startEmbeddedBroker } from '../../../src/mqtt/embedded-broker.js'
import { IMEI } from '../../helpers/app.js'
import { OTHER, type Broker } from './broker.js'

/** The broker inside the messenger, here beside it. */
export async function startEmbedded (t: Test): Promise<Broker> {
  let broker = await startEmbeddedBroker(0)
  const { url } = broker
  t.teardown(() => broker.stop())
  // Aedes exports nothing but its entry, beside which its package.json is.
  const { version } = JSON.parse(readFileSync(join(createRequire(import.meta.url).resolve('aedes'), '../package.json'), 'utf8'))
  return {
    url,
    env: {},
    device: { protocolVersion: 5, clientId: IMEI },
    other: { protocolVersion: 5, clientId: OTHER },
    auditor: { protocolVersion: 5 },
    version: `Aedes ${String(version)}`,
    async start () { broker = await startEmbeddedBroker(Number(new URL(url).port)) },
    stop: () => broker.stop()
  }
}
