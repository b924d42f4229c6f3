import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { DrillOptions } from './drills/drill.js'
import { DRILL_NAMES, type DrillName } from './drills/run-drill.js'
import type { MixOptions } from './mix.js'
import { SEED_LIMIT } from './random.js'
import { FAULT_KINDS } from './schedule.js'
import { SUBJECT_NAMES } from './subjects/subject.js'

/** What the command line asks for: drills, or where it names none the random mix. */
export interface Options {
  readonly mix: MixOptions
  readonly drills: readonly DrillName[]
  readonly drill: DrillOptions
}

/**
 * Reads the command line; a seed that is not given is made.
 * @throws {RangeError | TypeError} saying what is wrong with it
 */
export function readOptions (args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      publishes: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(randomInt(SEED_LIMIT)) },
      faults: { type: 'string', default: 'all' },
      subject: { type: 'string', default: 'messenger' },
      callers: { type: 'string', default: '64' },
      'broker-window': { type: 'string', default: '1000' },
      'publish-timeout-ms': { type: 'string', default: '400' },
      drill: { type: 'string', default: 'none' },
      kills: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '10' },
      'stop-s': { type: 'string', default: '10' },
      'overload-s': { type: 'string', default: '60' }
    }
  })
  const count = (name: keyof typeof values, least: number, most: number) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`--${name} must be a whole number, ${least} to ${most}`)
    return value
  }
  const several = <T extends string>(name: keyof typeof values, known: readonly T[]) => {
    if (values[name] === 'all') return known
    if (values[name] === 'none') return []
    return values[name].split(',').map(item => oneOf(name, item, known))
  }
  const seed = count('seed', 0, SEED_LIMIT - 1)
  const callers = count('callers', 1, 1_000)
  const publishTimeoutMs = count('publish-timeout-ms', 100, 10_000)
  return {
    mix: {
      subject: oneOf('subject', values.subject, SUBJECT_NAMES),
      publishes: count('publishes', 1, 100_000_000),
      faults: several('faults', FAULT_KINDS),
      seed,
      callers,
      brokerWindow: count('broker-window', 1, 65_535),
      publishTimeoutMs
    },
    drills: several('drill', DRILL_NAMES),
    drill: {
      seed,
      callers,
      publishTimeoutMs,
      kills: count('kills', 1, 10_000),
      rounds: count('rounds', 1, 10_000),
      stopMs: count('stop-s', 1, 600) * 1000,
      overloadMs: count('overload-s', 1, 3_600) * 1000
    }
  }
}

function oneOf<T extends string> (name: string, item: string, known: readonly T[]): T {
  const found = known.find(one => one === item)
  if (found === undefined) throw new RangeError(`--${name} must be of ${known.join(', ')}`)
  return found
}
