import type { Test } from 'tap'
import type { AppOverrides } from '../../src/app.js'
import { startApp } from './app.js'
import { freePort } from './ports.js'
import { scrape } from './scrape.js'

/** How long a metric may take to show what has happened, in milliseconds. */
const SHOW_LIMIT_MS = 10_000

/** The server under test with its metrics, ready but not yet connected to its broker. */
export async function startMeasuredApp (t: Test, url: string, env: Readonly<Record<string, string>> = {}, overrides: AppOverrides = {}) {
  const port = await freePort()
  const app = await startApp(t, { MQTT_URL: url, METRICS_PORT: String(port), ...env }, overrides)
  return {
    app,
    port,
    scrape: () => scrape(port),
    /** Waits until a metric without labels has this value. */
    async shows (name: string, value: number): Promise<void> {
      const endMs = performance.now() + SHOW_LIMIT_MS
      for (;;) {
        const shown = (await scrape(port)).value(name)
        if (shown === value) return
        if (performance.now() > endMs) throw new Error(`${name} is ${shown}, not ${value}`)
      }
    }
  }
}
