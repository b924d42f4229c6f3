import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signOwnToken } from '../../src/cli/own-token.js'
import { fillIn } from './environment.js'
import { readOptions, USAGE, type Options } from './options.js'

/** Long enough for a run, in seconds. */
const TOKEN_TTL_S = 600

try {
  process.exitCode = await run(readOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
  process.exitCode = 1
}

/** Runs the client, and gives back its exit code. */
async function run ({ tool, url, urlWithoutBroker, token }: Options): Promise<number> {
  const values = {
    url,
    urlWithoutBroker,
    token: token ?? await signOwnToken({ expiresInS: TOKEN_TTL_S }),
    // Who brings a token has an issuer, which alone could make another.
    tokenForAnotherDevice: token === undefined
      ? await signOwnToken({ expiresInS: TOKEN_TTL_S, claims: { authorization_details: [{ type: 'messaging', identifier: 'another' }] } })
      : ''
  }
  // Only its owner can read what is in it: tokens are no matter for a command line, which everybody on the machine sees.
  const directory = mkdtempSync(join(tmpdir(), 'messenger-clients-'))
  try {
    const file = join(directory, 'environment.json')
    writeFileSync(file, fillIn(readFileSync(tool.environment, 'utf8'), values), { mode: 0o600 })
    const [program = '', ...args] = tool.command
    const child = spawn(program, [...args, file], { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code] = await once(child, 'close')
    return typeof code === 'number' ? code : 1
  } finally {
    rmSync(directory, { recursive: true })
  }
}
