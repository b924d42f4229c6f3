import { parseArgs } from 'node:util'
import { readOrigin } from '../../bench/origin.js'
import { TOOLS, type Tool } from './tools.js'

/** What the command line asks for. */
export interface Options {
  readonly tool: Tool
  /** Of the messenger, without a slash at the end. */
  readonly url: string
  /** Of a messenger without a broker, which answers 406. Default: `url`. */
  readonly urlWithoutBroker: string
  /** Undefined: one of the demo of this folder. */
  readonly token: string | undefined
}

/** How it is called. */
export const USAGE = `Usage: npm run -s clients:postman -- --url URL [options]
       npm run -s clients:hoppscotch -- --url URL [options]

Runs the collection of examples/ with its tests against a messenger. A device
must answer there: npm run -s device -- 26372637216372637126376237

  --url URL              of the messenger, e.g. http://127.0.0.1:3000
  --without-broker URL   of one that has no broker, to see 406 (default: none)
  --token TOKEN          access token (default: one of the demo of this folder)
`

/** @throws {Error} saying what is wrong */
export function readOptions (args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      'without-broker': { type: 'string' },
      token: { type: 'string' }
    }
  })
  const tool = TOOLS[positionals[0] ?? '']
  if (tool === undefined) throw new Error(`name one of ${Object.keys(TOOLS).join(', ')}`)
  if (values.url === undefined) throw new Error('--url is missing')
  const url = readOrigin(values.url)
  const { 'without-broker': withoutBroker, token } = values
  return { tool, url, urlWithoutBroker: withoutBroker === undefined ? url : readOrigin(withoutBroker), token }
}
