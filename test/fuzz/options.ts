import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { FuzzOptions } from './fuzz.js'
import { PROFILE_NAMES } from './model/rules.js'
import { SUBJECT_NAMES } from './subjects/subject.js'

/** Seeds are 0 up to this, exclusive: what fast-check takes. */
export const SEED_LIMIT = 2 ** 31

const SHRINK_LIMIT_MS = 60_000

/**
 * Reads the command line; a seed that is not given is made.
 * @throws {RangeError | TypeError} saying what is wrong with it
 */
export function readOptions (args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(randomInt(SEED_LIMIT)) },
      path: { type: 'string' },
      batch: { type: 'string', default: '250' },
      profile: { type: 'string', default: 'narrow' },
      subject: { type: 'string', default: 'messenger' }
    }
  })
  const count = (name: 'cases' | 'seed' | 'batch', least: number, most: number) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`--${name} must be a whole number, ${least} to ${most}`)
    return value
  }
  const oneOf = <T extends string>(name: 'profile' | 'subject', known: readonly T[]) => {
    const found = known.find(one => one === values[name])
    if (found === undefined) throw new RangeError(`--${name} must be one of ${known.join(', ')}`)
    return found
  }
  return {
    cases: count('cases', 1, 100_000_000),
    seed: count('seed', 0, SEED_LIMIT - 1),
    ...(values.path !== undefined && { path: values.path }),
    batch: count('batch', 1, 10_000),
    profile: oneOf('profile', PROFILE_NAMES),
    subject: oneOf('subject', SUBJECT_NAMES),
    shrinkLimitMs: SHRINK_LIMIT_MS
  }
}
