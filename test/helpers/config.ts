import { loadConfig } from '../../src/config/config.js'
import { ConfigError } from '../../src/config/faults.js'
import { thrownBy } from './thrown-by.js'

type Environment = Parameters<typeof loadConfig>[0]
type ReadFile = Parameters<typeof loadConfig>[1]

/** What has to be set outside of the demo. */
export const COMPLETE = { MQTT_URL: 'mqtt://broker.example', JWT_SECRET: 'a secret of the tests, of more than 32 bytes' }

/** Every fault that keeps the messenger from starting with this environment. */
export function faultsOf (environment: Environment, readFile?: ReadFile): readonly string[] {
  return thrownBy(ConfigError, () => loadConfig(environment, readFile)).faults
}

/** The configuration with its topics as their templates, so that two of them can be compared. */
export function loadPlain (environment: Environment, readFile?: ReadFile) {
  const config = loadConfig(environment, readFile)
  return { ...config, mqtt: { ...config.mqtt, topic: config.mqtt.topic.template, replyTopic: config.mqtt.replyTopic.template } }
}

/** Reads from these files and no others. */
export function readFrom (files: Readonly<Record<string, string>>): (path: string) => string {
  return path => {
    const text = files[path]
    if (text === undefined) throw new Error(`there is no file ${path}`)
    return text
  }
}
