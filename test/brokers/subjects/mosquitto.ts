import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { IMEI } from '../../helpers/app.js'
import { startMosquitto } from '../../helpers/mosquitto.js'
import { createFolder } from '../../helpers/program.js'
import { readBlock, readEnv } from '../docs.js'
import { AUDITOR, OTHER, type Broker, type Env } from './broker.js'

const SECTION = 'Mosquitto 2'
const DEVICE = { username: IMEI, password: 'of the device' }
const OTHER_DEVICE = { username: OTHER, password: 'of the other' }

/** Mosquitto with the files of its section; `protocol` is added to the variables of the messenger. */
export async function startSecuredMosquitto (t: Test, protocol: Env): Promise<Broker> {
  const env = { ...readEnv(SECTION), ...protocol }
  const messenger = { username: String(env.MQTT_USERNAME), password: String(env.MQTT_PASSWORD) }
  const passwords = hashPasswords(t, [messenger, DEVICE, OTHER_DEVICE, AUDITOR])
  const start = (...more: string[]) => startMosquitto(t, {
    config: [readBlock(SECTION, 'conf').trim().replaceAll('/etc/mosquitto/', '{dir}/'), ...more],
    files: { passwords, acl: `${readBlock(SECTION, 'acl')}\nuser ${AUDITOR.username}\ntopic read #\n` }
  })
  return {
    ...await start(),
    env,
    device: { protocolVersion: 5, clientId: IMEI, ...DEVICE },
    other: { protocolVersion: 5, clientId: OTHER, ...OTHER_DEVICE },
    auditor: { protocolVersion: 5, ...AUDITOR },
    version: readVersion(),
    startWithMaximum: bytes => start(`max_packet_size ${bytes}`)
  }
}

function hashPasswords (t: Test, users: ReadonlyArray<{ readonly username: string, readonly password: string }>): string {
  const file = join(createFolder(t), 'passwords')
  users.forEach(({ username, password }, index) => {
    execFileSync('mosquitto_passwd', [...index === 0 ? ['-c'] : [], '-b', file, username, password])
  })
  return readFileSync(file, 'utf8')
}

function readVersion (): string {
  const { stdout } = spawnSync('mosquitto', ['-h'], { env: { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }, encoding: 'utf8' })
  return `Mosquitto ${/version (\S+)/.exec(stdout)?.[1] ?? 'unknown'}`
}
