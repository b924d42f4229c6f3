import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../helpers/ports.js'
import { runProgram } from '../../helpers/program.js'
import { scrape } from '../../helpers/scrape.js'
import type { Scope } from '../../helpers/scope.js'
import type { Figures } from '../evidence.js'

/** The programs that the suite can be run against. */
const PROGRAMS = {
  messenger: { file: '../../../src/server', hasMetrics: true },
  /** MQTT.js as it comes, see its file. */
  'mqttjs-reconnect': { file: './mqttjs-reconnect', hasMetrics: false }
} as const
export type SubjectName = keyof typeof PROGRAMS
export const SUBJECT_NAMES = Object.keys(PROGRAMS) as SubjectName[]

/** How to start a subject. */
export interface SubjectOptions {
  readonly name: SubjectName
  /** Its settings, beside HOST, PORT and NODE_ENV. */
  readonly env: Readonly<Record<string, string>>
}

export type Subject = Awaited<ReturnType<typeof startSubject>>

/** Longest wait for a server that is ready, in milliseconds. */
const READY_LIMIT_MS = 30_000

const POLL_MS = 10

/** Starts a server as in production, on a port that it keeps, and waits until it is connected. */
export async function startSubject (scope: Scope, { name, env }: SubjectOptions) {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const { file, hasMetrics } = PROGRAMS[name]
  const path = fileURLToPath(new URL(`${file}${extname(import.meta.url)}`, import.meta.url))
  const ports = { PORT: String(port), METRICS_PORT: String(metricsPort) }
  const run = () => runProgram(scope, path, { env: { NODE_ENV: 'production', HOST: '127.0.0.1', ...ports, ...env } })
  let program = run()
  let wasKilled = false

  async function ready (): Promise<void> {
    const limitMs = performance.now() + READY_LIMIT_MS
    while (!await isReady(port)) {
      if (performance.now() > limitMs) throw new Error(`${name} is not ready:\n${program.output.stdout}\n${program.output.stderr}`)
      await sleep(POLL_MS)
    }
  }

  await ready()
  return {
    port,
    /** Process id of the server that runs now. */
    get pid () { return Number(program.pid) },
    /** Ends it at once, as a crash does, and waits until it is gone. */
    async kill (): Promise<void> {
      wasKilled = true
      program.kill('SIGKILL')
      await program.exit()
    },
    /** Starts it again, after {@link Subject.kill}. @returns when, in monotonic milliseconds */
    async restart (): Promise<number> {
      const startedMs = performance.now()
      program = run()
      await ready()
      return startedMs
    },
    /** What it has counted of every command since the start of the run; undefined where it does not know. */
    async readFigures (): Promise<Figures | undefined> {
      if (!hasMetrics || wasKilled) return undefined
      const series = Object.entries((await scrape(metricsPort)).seriesOf('messenger_commands_total'))
      const sum = (outcome: string) => series.filter(([labels]) => labels.startsWith(`outcome=${outcome},`)).reduce((all, [, value]) => all + value, 0)
      return { accepted: sum('accepted'), notSent: sum('not_sent'), unknown: sum('unknown') }
    }
  }
}

async function isReady (port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`)
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false // it does not listen yet
  }
}
