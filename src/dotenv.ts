import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ConfigError } from './config/faults.js'

/**
 * The environment with the variables of a `.env` file behind it: what the environment sets wins.
 * @param file default `.env` in the working directory; it need not exist
 * @throws {ConfigError} where it exists and cannot be read
 */
export function withDotEnv (environment: NodeJS.ProcessEnv, file = '.env'): NodeJS.ProcessEnv {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw new ConfigError([`${file} cannot be read (${code})`])
  }
  // Editors of Windows put a byte order mark first, which would become part of the first name.
  return { ...parseEnv(text.replace(/^\uFEFF/, '')), ...environment }
}
