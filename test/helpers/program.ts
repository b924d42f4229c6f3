import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { createCoverage, withoutTap } from './coverage.js'
import { removeFolder } from './remove-folder.js'
import type { Scope } from './scope.js'
import { until } from './until.js'

/** A folder for one program, removed with the test. */
export function createFolder (t: Scope): string {
  const dir = mkdtempSync(join(tmpdir(), 'messenger-program-'))
  t.teardown(() => removeFolder(dir))
  return dir
}

export interface ProgramOptions {
  readonly args?: readonly string[]
  /** Beside what this process has; of that, no setting of the messenger is inherited. */
  readonly env?: Readonly<Record<string, string>>
  /** Working directory. Default: a new, empty one. */
  readonly cwd?: string
  /** JavaScript that runs in the program before it. */
  readonly before?: string
}

/** Variables that would change what a program under test does. */
const SETTINGS = /^(NODE_ENV|HOST|PORT|TLS_.*|TRUST_PROXY|LOG_LEVEL|MQTT_.*|JWT_.*|OIDC_ISSUER|AUTHORIZATION_DETAILS|COMMAND_TTL_S|MAX_WAITERS|MICRO_OPS|RATE_LIMIT_.*|REDIS_URL|IDEMPOTENCY_.*|METRICS_PORT|WORKERS|OTEL_.*|CORS_ORIGIN|DRAIN_DELAY_MS|SHUTDOWN_TIMEOUT_MS)$/

/** Runs a program as a process of its own, as `compile.ts` has compiled it before the suite. It is killed with the test. */
export function runProgram (t: Scope, file: string, options: ProgramOptions = {}) {
  const cwd = options.cwd ?? createFolder(t)
  const program = file.endsWith('.ts') ? join('.compiled', relative(process.cwd(), resolve(file))).replace(/ts$/, 'js') : file
  const before = options.before === undefined ? [] : [`--import=data:text/javascript,${encodeURIComponent(options.before)}`]
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name)))
  const coverage = createCoverage()
  const child = spawn(...withoutTap(process.execPath, [...before, resolve(program), ...options.args ?? []]), {
    cwd,
    env: { ...inherited, ...coverage.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => { output.stdout += String(chunk) })
  child.stderr.on('data', chunk => { output.stderr += String(chunk) })
  let ended = false
  const closed = new Promise<void>(resolve => { child.once('close', () => { resolve() }) }).then(() => { ended = true })
  t.teardown(async () => {
    child.kill('SIGKILL')
    // What it writes until then is in its folder, and in ours.
    await closed
    coverage.collect()
  })
  return {
    pid: child.pid,
    output,
    /** Whether it has not ended yet. */
    get isAlive () { return !ended },
    kill (signal: NodeJS.Signals) { child.kill(signal) },
    /** Reads no more of what it writes to stdout: a pipe with nobody at its end. */
    closeOutput () { child.stdout.destroy() },
    /** Waits for text on stdout, so many times. @throws where it ends before */
    async says (text: string, times = 1) {
      const isSaid = () => output.stdout.split(text).length > times
      const what = () => `${times} x "${text}" in:\n${output.stdout}\n${output.stderr}`
      await until(() => ended || isSaid(), what, 90_000)
      if (!isSaid()) throw new Error(`ended with ${child.signalCode ?? `code ${child.exitCode}`} before ${what()}`)
    },
    /** Waits for the end. */
    async exit () {
      await until(() => ended, () => `the end of ${file}:\n${output.stdout}\n${output.stderr}`, 90_000)
      return { code: child.exitCode, signal: child.signalCode }
    }
  }
}
