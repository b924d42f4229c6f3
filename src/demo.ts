import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createSecretKey, MIN_SECRET_BYTES } from './auth/keys.js'
import type { Config } from './config/config.js'
import { ConfigError } from './config/faults.js'
import { startEmbeddedBroker } from './mqtt/embedded-broker.js'

/** What the demo made up, for `npm run token` and `npm run device`. */
export interface DemoState {
  /** Where the embedded broker listens. */
  readonly broker?: string | undefined
  /** Secret of the HS256 tokens. */
  readonly secret?: string | undefined
}

/** Where it is kept: readable by its owner only, and ignored by git. */
export const DEMO_FILE = '.messenger/demo.json'

/** A configuration without blanks, and what runs beside the server for it. */
export interface Demo {
  readonly config: Config
  readonly state: DemoState
  /** Says where the broker is, for `npm run device`: once the server listens, so that one that fails to start says nothing. */
  announce(): void
  /** Ends the broker, and takes back what was announced. */
  stop(): Promise<void>
}

/**
 * Fills in what was not set: an embedded broker for a missing `MQTT_URL`, a secret for a
 * missing key. The secret is kept, so that tokens outlive a restart.
 * @param file where to keep it; default {@link DEMO_FILE}
 * @throws {ConfigError} where it cannot be kept
 */
export async function startDemo (config: Config, file = DEMO_FILE): Promise<Demo> {
  const kept = keptSecret(file)
  const secret = isKeyless(config) ? kept ?? randomBytes(MIN_SECRET_BYTES).toString('base64url') : undefined
  // Written before anything is started: where it cannot be, there is nothing to stop.
  const found = readDemoState(file).broker
  keep(file, { broker: found, secret: secret ?? kept })
  const broker = config.mqtt.urls.length === 0 ? await startEmbeddedBroker() : undefined
  return {
    config: {
      ...config,
      auth: { ...config.auth, keys: secret === undefined ? config.auth.keys : [createSecretKey(secret)] },
      mqtt: { ...config.mqtt, urls: broker === undefined ? config.mqtt.urls : [broker.url] }
    },
    state: { broker: broker?.url, secret },
    announce () {
      if (broker !== undefined) keep(file, { broker: broker.url, secret: readDemoState(file).secret })
    },
    async stop () {
      await broker?.stop()
      const now = readDemoState(file)
      // Another demo of this folder may still run, or may have been started since.
      if (broker !== undefined && now.broker === broker.url) keep(file, { broker: found, secret: now.secret })
    }
  }
}

/** Whether nothing says by which keys tokens are checked: neither themselves, nor where they are fetched. */
function isKeyless ({ auth }: Config): boolean {
  return auth.keys.length === 0 && auth.keySource === undefined
}

/** Reads what the demo keeps; empty where there is nothing, or nothing readable. */
export function readDemoState (file = DEMO_FILE): DemoState {
  try {
    const state: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof state === 'object' && state !== null ? state : {}
  } catch {
    return {}
  }
}

/** Written beside and moved into place, so that nobody else can read it for a moment. */
function keep (file: string, state: DemoState): void {
  const folder = dirname(file)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const next = `${file}.${process.pid}`
    writeFileSync(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
    renameSync(next, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError([`${folder} must be a folder that can be written to (${code}), or MQTT_URL and JWT_SECRET or JWT_PUBLIC_KEY must be set`])
  }
}

function keptSecret (file: string): string | undefined {
  const { secret } = readDemoState(file)
  return typeof secret === 'string' && secret.length >= MIN_SECRET_BYTES ? secret : undefined
}
