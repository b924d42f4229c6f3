import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../helpers/ports.js'
import { runProgram } from '../../helpers/program.js'
import type { Scope } from '../../helpers/scope.js'
import { toEnv, type Rules } from '../model/rules.js'

/** The programs that the suite can be run against: the server, and the same with a fault built in. */
export const SUBJECT_NAMES = ['messenger', 'answers-500', 'publishes-on-400', 'publishes-twice', 'claims-200', 'drops-detail', 'logs-token', 'logs-error', 'dies', 'leaks', 'never-answers'] as const
export type SubjectName = typeof SUBJECT_NAMES[number]

/** How to start a subject. */
export interface SubjectOptions {
  readonly name: SubjectName
  readonly rules: Rules
  readonly brokerUrl: string
}

export type Subject = Awaited<ReturnType<typeof startSubject>>

/** What a process holds, in MiB. */
export interface Memory {
  /** Alive after a garbage collection: heap, and buffers beside it. */
  readonly aliveMiB: number
  /** Resident, as its operator sees it. */
  readonly rssMiB: number
}

/** Runs in the server before it: on this port it collects its garbage, and tells what is left. A signal would stop it. */
function reportMemoryAt (port: number): string {
  return `
    const { createServer } = await import('node:http')
    const { setFlagsFromString } = await import('node:v8')
    const { runInNewContext } = await import('node:vm')
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    createServer((request, response) => {
      collect()
      setImmediate(() => {
        collect()
        response.end(JSON.stringify(process.memoryUsage()))
      })
    }).listen(${port}, '127.0.0.1').unref()
  `
}

/** Starts a server as in production, and waits until it is connected to its broker. */
export async function startSubject (scope: Scope, { name, rules, brokerUrl }: SubjectOptions) {
  const [port, memoryPort] = [await freePort(), await freePort()]
  const file = name === 'messenger' ? '../../../src/server' : './broken'
  const program = runProgram(scope, fileURLToPath(new URL(`${file}${extname(import.meta.url)}`, import.meta.url)), {
    before: reportMemoryAt(memoryPort),
    env: { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), MQTT_URL: brokerUrl, LOG_LEVEL: 'trace', FAULT: name, ...toEnv(rules) }
  })
  await program.says('connected to the broker')
  await program.says('Server listening')

  return {
    port,
    /** Takes what it has written since the last time, whole lines only. */
    takeLog (): { lines: string, errors: string } {
      const { stdout, stderr } = program.output
      const end = stdout.lastIndexOf('\n') + 1
      program.output.stdout = stdout.slice(end)
      program.output.stderr = ''
      return { lines: stdout.slice(0, end), errors: stderr }
    },
    /** Waits until it has written this. */
    says: program.says,
    /** Whether it still runs. */
    get isAlive () { return program.isAlive },
    /** Ends it at once. */
    kill () { program.kill('SIGKILL') },
    /** Has it collect its garbage and tell what it holds. */
    async measureMemory (): Promise<Memory> {
      const response = await fetch(`http://127.0.0.1:${memoryPort}`)
      const { heapUsed, external, rss } = await response.json() as NodeJS.MemoryUsage
      return { aliveMiB: (heapUsed + external) / 2 ** 20, rssMiB: rss / 2 ** 20 }
    }
  }
}
