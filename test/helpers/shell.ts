import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Test } from 'tap'
import { withoutUndefined } from '../../src/without-undefined.js'
import { withoutTap } from './coverage.js'
import { freePort } from './ports.js'
import { createFolder } from './program.js'
import { until } from './until.js'

/** The first of these commands that the machine lacks, as a reason to skip; false in CI, where all must be there. */
export function skipWithout (...commands: string[]): string | false {
  if (process.env.CI === 'true') return false
  const missing = commands.find(command => spawnSync('sh', ['-c', `command -v ${command}`], { env: shellEnv }).status !== 0)
  return missing === undefined ? false : `${missing} is not installed`
}

/**
 * A plain environment, without what npm, tap and the caller's shell have set (see also `withoutTap`). tap would measure the coverage
 * of npm and of compilers, which makes them several times slower. npm is told where this machine's settings are, such as its
 * registry: run by another Node.js, it would look for them beside that.
 */
export const shellEnv = {
  PATH: `${process.env.PATH}:/usr/sbin`,
  HOME: process.env.HOME ?? '/',
  _TAPJS_PROCESSINFO_COVERAGE_: '0',
  ...withoutUndefined({ npm_config_globalconfig: process.env.npm_config_globalconfig })
}

/** A copy of what git tracks, or would, with the packages of this one. */
export function copyProject (t: Test): string {
  const dir = copyFiles(t)
  symlinkSync(resolve('node_modules'), join(dir, 'node_modules'))
  return dir
}

/** A copy of what git tracks, or would, as a clone of it: without packages. */
export function copyFiles (t: Test): string {
  const dir = createFolder(t)
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  for (const file of files.split('\n').filter(name => name !== '')) {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    cpSync(file, join(dir, file))
  }
  return dir
}

/** Makes of a block one with free ports for its fixed ones, and without the installation that the copy has. */
export async function createTranslator () {
  const [http, mqtt] = [String(await freePort()), String(await freePort())]
  return (block = '') => block.replaceAll('npm ci\n', '').replaceAll('127.0.0.1:3000', `127.0.0.1:${http}`).replaceAll('1883', mqtt)
    .replace('npm start', `PORT=${http} npm start`).replace('node dist/server.js', `PORT=${http} exec node dist/server.js`)
}

/** Runs a block of a shell, as somebody who pastes it does; all of it is killed with the test. */
export function paste (t: Test, block: string, cwd: string) {
  const child = spawn(...withoutTap('sh', ['-c', block]), { cwd, env: shellEnv, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', all: '' }
  child.stdout.on('data', chunk => { output.stdout += String(chunk) })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { output.all += String(chunk) })
  let ended = false
  child.once('close', () => { ended = true })
  const kill = (signal: NodeJS.Signals) => {
    // The whole group: npm and sh do not pass every signal on.
    if (!ended && child.pid !== undefined) process.kill(-child.pid, signal)
  }
  t.teardown(() => { kill('SIGKILL') })
  return {
    output,
    kill,
    says: (text: string) => until(() => output.all.includes(text), () => `"${text}" from ${block}:\n${output.all}`, 150_000),
    async exit (withinMs = 150_000) {
      await until(() => ended, () => `the end of ${block}:\n${output.all}`, withinMs)
      return child.exitCode
    }
  }
}
