import { execFileSync } from 'node:child_process'
import { shellEnv } from './shell.js'

// What tap runs before the suite: programs that a test starts are compiled by then (see program.ts), which takes a tenth of the time.
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test'], { env: shellEnv, stdio: 'inherit' })
