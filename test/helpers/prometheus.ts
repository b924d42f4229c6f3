import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './ports.js'
import { createFolder } from './program.js'
import { paste } from './shell.js'

/** One series of an answer: its labels, and its value at the time of the question. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

/** A real Prometheus with the files of `deploy/prometheus/`, that scrapes this port of the loopback five times a second. */
export async function startPrometheus (t: Test, target: number) {
  const dir = createFolder(t)
  const port = await freePort()
  cpSync('deploy/prometheus', dir, { recursive: true })
  const config = readFileSync(join(dir, 'prometheus.yml'), 'utf8')
    .replaceAll(/_interval: 15s/g, '_interval: 200ms').replace(/targets: \['127[^\n]*:9464[^\]]*\]/, `targets: ['127.0.0.1:${target}']`)
  writeFileSync(join(dir, 'prometheus.yml'), config)
  const prometheus = paste(t, `exec prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:${port}`, dir)
  await prometheus.says('Server is ready to receive web requests')

  /** What its API answers, an error included. */
  async function ask<T> (path: string, parameters: Readonly<Record<string, string>> = {}) {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`, { headers: { connection: 'close' } })
    return await response.json() as { readonly status: string, readonly error?: string, readonly data: T }
  }

  return {
    ask,
    /** The series of an expression, now. */
    async query (expression: string): Promise<readonly Series[]> {
      const { status, error, data } = await ask<{ result: readonly Series[] }>('query', { query: expression })
      if (status !== 'success') throw new Error(`${error}: ${expression}`)
      return data.result
    },
    async stop () {
      prometheus.kill('SIGTERM')
      await prometheus.exit()
    }
  }
}
