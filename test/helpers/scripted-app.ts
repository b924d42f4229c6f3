import type { Test } from 'tap'
import { startConnectedApp } from './app.js'
import { createFakeClock } from './fake-clock.js'
import { createLog } from './log.js'
import { startScriptedBroker, type ScriptedBrokerOptions } from './scripted-broker.js'
import { until } from './until.js'

/** A server on a clock that stands still, connected to a broker that does as it is told. */
export async function startScriptedApp (t: Test, script: ScriptedBrokerOptions = {}, env: Readonly<Record<string, string>> = {}) {
  const broker = await startScriptedBroker(t, script)
  const { clock, advance } = createFakeClock()
  const log = createLog()
  const app = await startConnectedApp(t, broker.url, env, { clock, logger: log.logger })
  // What is never acknowledged would keep a connection open, until a time that does not come on this clock.
  t.teardown(() => { for (const { socket } of broker.connections) socket.destroy() })
  const published = (count: number) => until(() => broker.published.length === count, `${count} publishes`)
  return { broker, advance, app, log, published }
}
