import { execFileSync } from 'node:child_process'

// What tap runs before the suite: tests that start a program of the messenger start what is built of it, which takes a tenth of the time.
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
