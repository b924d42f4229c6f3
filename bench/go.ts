import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** As this file is compiled to a folder of its own, beside the sources. */
const SOURCE = fileURLToPath(new URL('../../bench/subjects/go/main.go', import.meta.url))

/** Where Debian puts the sources of its Go packages. */
const DEBIAN_GOPATH = '/usr/share/gocode'

/** What it takes, by the names of Debian's packages. */
const PACKAGES = 'golang-go golang-github-eclipse-paho.mqtt.golang-dev golang-github-golang-jwt-jwt-dev'

/**
 * Builds the server in Go, into a folder that goes when this process ends.
 * @returns the program
 * @throws where Go or one of the packages is missing
 */
export function buildGo (): string {
  const folder = mkdtempSync(join(tmpdir(), 'messenger-bench-go-'))
  process.once('exit', () => { rmSync(folder, { recursive: true }) })
  const program = join(folder, 'server')
  const { status, stderr, error } = spawnSync('go', ['build', '-o', program, SOURCE], {
    encoding: 'utf8', env: { ...process.env, GO111MODULE: 'off', GOPATH: DEBIAN_GOPATH, GOFLAGS: '' }
  })
  if (status !== 0) throw new Error(`the server in Go cannot be built; it needs, of Debian: ${PACKAGES}\n${error?.message ?? stderr}`)
  return program
}
