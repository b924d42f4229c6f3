import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/**
 * The environment with the variables of a `.env` file behind it: what the environment sets wins.
 * @param file default `.env` in the working directory; it need not exist
 */
export function withDotEnv (environment: NodeJS.ProcessEnv, file = '.env'): NodeJS.ProcessEnv {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  // Editors of Windows put a byte order mark first, which would become part of the first name.
  return { ...parseEnv(text.replace(/^\uFEFF/, '')), ...environment }
}
