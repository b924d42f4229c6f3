import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { IClientOptions } from 'mqtt'
import type { Test } from 'tap'
import { startEmbeddedBroker } from '../../src/mqtt/embedded-broker.js'
import { IMEI } from '../helpers/app.js'
import { skipWithoutMosquitto, startMosquitto } from '../helpers/mosquitto.js'
import { createFolder } from '../helpers/program.js'
import { skipWithoutRabbitmq, startRabbitmq } from '../helpers/rabbitmq.js'
import { readBlock, readEnv } from './docs.js'
import type { Subject } from './verdicts.js'

type Env = Readonly<Record<string, string>>

/** A broker that runs, set up as the operators' page says. */
export interface Broker {
  readonly url: string
  /** What the messenger is started with, beside the URL. */
  readonly env: Env
  /** How the device {@link IMEI} connects, which is also its client identifier. */
  readonly device: IClientOptions
  /** How somebody connects who may read everything. */
  readonly auditor: IClientOptions
  /** Product and version, e.g. `Mosquitto 2.0.11`. */
  readonly version: string
  start(): Promise<void>
  stop(): Promise<void>
  /** The same device and messenger under a policy by which the broker itself drops after a second what waits for a device. */
  readonly policy?: { readonly env: Env, readonly device: IClientOptions }
  /** Starts another one that takes no packet of more bytes than this. */
  startWithMaximum?(bytes: number): Promise<{ readonly url: string }>
}

const AUDITOR = { username: 'auditor', password: 'of the auditor' }
const DEVICE = { username: IMEI, password: 'of the device' }

async function startSecuredMosquitto (t: Test, protocol: Env): Promise<Broker> {
  const section = 'Mosquitto 2'
  const env = { ...readEnv(section), ...protocol }
  const passwords = join(createFolder(t), 'passwords')
  const users = [[env.MQTT_USERNAME, env.MQTT_PASSWORD], [DEVICE.username, DEVICE.password], [AUDITOR.username, AUDITOR.password]]
  users.forEach(([name = '', password = ''], index) => {
    execFileSync('mosquitto_passwd', [...index === 0 ? ['-c'] : [], '-b', passwords, name, password])
  })
  const start = (...more: string[]) => startMosquitto(t, {
    config: [readBlock(section, 'conf').trim().replaceAll('/etc/mosquitto/', '{dir}/'), ...more],
    files: {
      passwords: readFileSync(passwords, 'utf8'),
      acl: `${readBlock(section, 'acl')}\nuser ${AUDITOR.username}\ntopic read #\n`
    }
  })
  const broker = await start()
  return {
    ...broker,
    env,
    device: { protocolVersion: 5, clientId: IMEI, ...DEVICE },
    auditor: { protocolVersion: 5, ...AUDITOR },
    version: `Mosquitto ${/version (\S+)/.exec(String(spawnSync('mosquitto', ['-h'], { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).stdout))?.[1]}`,
    startWithMaximum: bytes => start(`max_packet_size ${bytes}`)
  }
}

interface Definitions {
  readonly vhosts: ReadonlyArray<{ readonly name: string }>
  readonly users: ReadonlyArray<{ readonly name: string, readonly password: string, readonly tags: string }>
  readonly permissions: ReadonlyArray<{ readonly user: string, readonly vhost: string }>
  readonly policies: ReadonlyArray<{ readonly definition: Readonly<Record<string, unknown>> }>
}

async function startSecuredRabbitmq (t: Test): Promise<Broker> {
  const section = 'RabbitMQ 3.10'
  const env = readEnv(section)
  const documented = JSON.parse(readBlock(section, 'json')) as Definitions
  const device = documented.users.find(({ name }) => name === IMEI)
  if (device === undefined) throw new Error(`the definitions lack a device ${IMEI}`)
  // The policy of the page, but for a second, and where it changes nothing for the other checks.
  const vhost = 'policy'
  const definitions = {
    ...documented,
    vhosts: [...documented.vhosts, { name: vhost }],
    users: [...documented.users, { name: AUDITOR.username, password: AUDITOR.password, tags: '' }],
    permissions: [
      ...documented.permissions,
      ...documented.permissions.map(permission => ({ ...permission, vhost })),
      { user: AUDITOR.username, vhost: '/', configure: '.*', write: '.*', read: '.*' }
    ],
    policies: [
      ...documented.policies,
      ...documented.policies.map(policy => ({ ...policy, vhost, definition: { ...policy.definition, 'message-ttl': 1000 } }))
    ]
  }
  const broker = await startRabbitmq(t, {
    config: [readBlock(section, 'conf').replaceAll('/etc/rabbitmq/', '{dir}/')],
    files: { 'definitions.json': JSON.stringify(definitions) }
  })
  const login = { protocolVersion: 4 as const, clientId: device.name, username: device.name, password: device.password }
  return {
    ...broker,
    version: `RabbitMQ ${broker.version}`,
    env,
    device: login,
    auditor: { protocolVersion: 4, ...AUDITOR },
    policy: {
      env: { ...env, MQTT_USERNAME: `${vhost}:${env.MQTT_USERNAME}` },
      device: { ...login, username: `${vhost}:${device.name}` }
    }
  }
}

async function startRestartableEmbedded (t: Test): Promise<Broker> {
  let broker = await startEmbeddedBroker(0)
  const { url } = broker
  t.teardown(() => broker.stop())
  // Aedes exports nothing but its entry, beside which its package.json is.
  const { version } = JSON.parse(readFileSync(join(createRequire(import.meta.url).resolve('aedes'), '../package.json'), 'utf8'))
  return {
    url,
    env: {},
    device: { protocolVersion: 5, clientId: IMEI },
    auditor: { protocolVersion: 5 },
    version: `Aedes ${String(version)}`,
    async start () { broker = await startEmbeddedBroker(Number(new URL(url).port)) },
    stop: () => broker.stop()
  }
}

/** How each broker is started; stopped with the test. `skip` says which one the machine lacks. */
export const subjects: Readonly<Record<Subject, { readonly skip: string | false, start(t: Test): Promise<Broker> }>> = {
  'Mosquitto 2': { skip: skipWithoutMosquitto, start: t => startSecuredMosquitto(t, {}) },
  'Mosquitto 2, `MQTT_PROTOCOL=3.1.1`': { skip: skipWithoutMosquitto, start: t => startSecuredMosquitto(t, { MQTT_PROTOCOL: '3.1.1' }) },
  'RabbitMQ 3.10, `MQTT_PROTOCOL=3.1.1`': { skip: skipWithoutRabbitmq, start: startSecuredRabbitmq },
  embedded: { skip: false, start: startRestartableEmbedded }
}
