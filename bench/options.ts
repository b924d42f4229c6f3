import { parseArgs } from 'node:util'
import type { Algorithm } from './request.js'

/** What the command line asks for. */
export interface Options {
  /** `all` contenders; `few`: bare Fastify, the usual code and the messenger; `profile` of the messenger; what `growth` costs; or `workers` against one process. */
  readonly mode: 'all' | 'few' | 'profile' | 'growth' | 'workers'
  /** Whether the server in Go is compared, too. */
  readonly hasGo: boolean
  readonly workers: number
  readonly rounds: number
  /** Of each load, about. */
  readonly seconds: number
  readonly connections: number
  readonly algorithm: Algorithm
  /** Requests of the soak; 0: none. */
  readonly soak: number
  /** Folder for results and picture; undefined: none. */
  readonly out: string | undefined
}

/** Each connection of the soak has at least one request in each of its ten slices. */
const SOAK_PER_CONNECTION = 10

/** @throws {RangeError} naming the flag that is wrong */
export function readOptions (args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      soak: { type: 'string', default: '0' },
      alg: { type: 'string', default: 'RS256' },
      few: { type: 'boolean', default: false },
      go: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
      workers: { type: 'string', default: '1' },
      out: { type: 'string' }
    }
  })
  const count = (name: 'rounds' | 'seconds' | 'connections' | 'soak' | 'workers', least: number, most: number) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`--${name} must be a whole number, ${least} to ${most}`)
    return value
  }
  const { alg } = values
  if (alg !== 'RS256' && alg !== 'HS256') throw new RangeError('--alg must be RS256 or HS256')
  const connections = count('connections', 1, 10_000)
  const soak = count('soak', 0, 100_000_000)
  if (soak > 0 && soak < connections * SOAK_PER_CONNECTION) throw new RangeError(`--soak must be 0, or at least ${connections * SOAK_PER_CONNECTION}`)
  // What is kept with the code is of the whole bench.
  const out = values.out ?? (values.few ? '' : 'bench')
  const workers = count('workers', 1, 128)
  if (values.go && (workers > 1 || values.profile || values.growth)) throw new RangeError('--go goes alone or with --few')
  return {
    mode: workers > 1 ? 'workers' : values.profile ? 'profile' : values.growth ? 'growth' : values.few ? 'few' : 'all',
    hasGo: values.go,
    workers,
    rounds: count('rounds', 1, 100),
    seconds: count('seconds', 1, 600),
    connections,
    algorithm: alg,
    soak,
    out: out === '' ? undefined : out
  }
}
