import { execFileSync } from 'node:child_process'
import { withoutTap } from './coverage.js'
import { shellEnv } from './shell.js'

// What tap runs before the suite: programs that a test starts are compiled by then (see program.ts), which takes a tenth of the time.
// The types of packages are not read: npm run typecheck does that.
execFileSync(...withoutTap(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test', '--noResolve']), { env: shellEnv, stdio: 'inherit' })
