import { parseArgs } from 'node:util'
import { DEMO_FILE } from '../demo.js'
import { parseClaims } from './claims.js'
import { signOwnToken } from './own-token.js'

const USAGE = `Usage: npm run -s token -- [options]

Prints an access token for the messenger of this folder, signed with JWT_SECRET
or, in demo mode, with the secret in ${DEMO_FILE}.

  --sub NAME            who it is for (default: demo)
  --scope "A B"         granted scopes (default: JWT_SCOPE, where that is set)
  --expires-in SECONDS  lifetime (default: 3600)
  --claim KEY=VALUE     any other claim; may be repeated. JSON is taken as JSON, but for a claim
                        that MQTT_TOPIC has: it is a text
  --help                this text
`

try {
  process.stdout.write(await run(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
  process.exitCode = 1
}

async function run (args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      sub: { type: 'string' },
      scope: { type: 'string' },
      'expires-in': { type: 'string', default: '3600' },
      claim: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return USAGE
  const expiresInS = Number(values['expires-in'])
  if (!Number.isInteger(expiresInS) || expiresInS < 1) throw new Error('--expires-in must be a whole number of seconds, at least 1')

  const token = await signOwnToken({
    expiresInS,
    claims: {
      ...(values.sub !== undefined && { sub: values.sub }),
      ...(values.scope !== undefined && { scope: values.scope })
    },
    claimTexts: parseClaims(values.claim)
  })
  return `${token}\n`
}
