import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SECRET } from './helpers/app.js'
import { createCoverage, withoutTap } from './helpers/coverage.js'
import { freePort } from './helpers/ports.js'

t.test('goes on where its log cannot be written, and stops as ever', { skip: existsSync('/dev/full') || process.env.CI === 'true' ? false : '/dev/full is not there' }, async t => {
  const port = await freePort()
  const full = openSync('/dev/full', 'w')
  t.teardown(() => { closeSync(full) })
  const coverage = createCoverage()
  const env = { ...coverage.env, PATH: process.env.PATH, PORT: String(port), MQTT_URL: 'mqtt://127.0.0.1:1', JWT_SECRET: SECRET }
  const server = spawn(...withoutTap(process.execPath, ['.compiled/src/server.js']), { env, stdio: ['ignore', full, 'inherit'] })
  t.teardown(() => {
    server.kill('SIGKILL')
    coverage.collect()
  })
  const ended = once(server, 'exit')
  const statusNow = async () => await fetch(`http://127.0.0.1:${port}/health/live`).then(({ status }) => status, () => undefined)
  while (await statusNow() === undefined) await sleep(50)
  for (let n = 0; n < 5; n += 1) {
    t.equal(await statusNow(), 200)
    // Longer than lines are kept together.
    await sleep(150)
  }
  server.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})
