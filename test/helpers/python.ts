import { spawn, spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { until } from './until.js'

// Debian's packages are for Debian's Python, which need not be the first in the PATH.
const python = ['python3', '/usr/bin/python3'].find(command => spawnSync(command, ['-c', 'import paho.mqtt.client']).status === 0)

/** `skip` of a test that needs Python with paho-mqtt: false where there is one, and in CI, where there must be. */
export const skipWithoutPaho = python !== undefined || process.env.CI === 'true' ? false : 'paho-mqtt for Python is not installed'

/** Runs a program in Python, killed with the test. */
export function runPython (t: Test, file: string, args: readonly string[]) {
  const child = spawn(python ?? 'python3', [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { output += String(chunk) })
  let ended = false
  child.once('close', () => { ended = true })
  t.teardown(() => { child.kill('SIGKILL') })
  return {
    /** What it has written so far, line by line. */
    get lines () { return output.split('\n').slice(0, -1) },
    says: (text: string) => until(() => output.includes(text), () => `"${text}" in:\n${output}`, 20_000),
    kill (signal: NodeJS.Signals) { child.kill(signal) },
    async exit () {
      await until(() => ended, () => `the end of ${file}:\n${output}`)
      return child.exitCode
    }
  }
}
