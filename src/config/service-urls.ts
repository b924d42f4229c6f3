import type { Env } from './env.js'
import type { Faults } from './faults.js'

const BROKER_SCHEMES = ['mqtt:', 'mqtts:', 'ws:', 'wss:']

/** A fault of a URL whose credentials the client of the broker or of Redis would fail to decode, some at each try. */
const CREDENTIALS_FAULT = 'must have a user name and a password that can be percent-decoded: a % of theirs is written %25'

/** The items of a comma-separated variable, without blanks and empty ones. */
export function list (value: string | undefined): string[] {
  return (value ?? '').split(',').map(item => item.trim()).filter(item => item !== '')
}

/** Reads `MQTT_URL`: the brokers to try in turn; none for the embedded one. */
export function readBrokerUrls (env: Env, faults: Faults): string[] {
  const urls = list(env.MQTT_URL)
  if (!urls.every(isBrokerUrl)) {
    faults.add('MQTT_URL', 'must be mqtt://, mqtts://, ws:// or wss:// URLs, comma-separated')
  } else if (urls.some(url => url.startsWith('mqtt') && /[?#]/.test(url))) {
    faults.add('MQTT_URL', 'must have no query at mqtt:// and mqtts:// URLs: settings are variables of their own')
  } else if (!urls.every(hasDecodableCredentials)) {
    faults.add('MQTT_URL', CREDENTIALS_FAULT)
  }
  if (env.MQTT_PASSWORD !== undefined && env.MQTT_USERNAME === undefined) faults.add('MQTT_PASSWORD', 'needs MQTT_USERNAME')
  return urls
}

function isBrokerUrl (text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return BROKER_SCHEMES.includes(protocol) && hostname !== ''
}

/** Reads `REDIS_URL`; undefined where it is unset. No fault shows it: it may have a password. */
export function readRedisUrl ({ REDIS_URL: url }: Env, faults: Faults): string | undefined {
  if (url === undefined) return undefined
  // A query would override the options that keep commands from being queued and sent again.
  if (!URL.canParse(url) || !/^rediss?:\/\/[^/?#][^?#]*$/.test(url)) {
    faults.add('REDIS_URL', 'must be a redis:// or rediss:// URL, without a query')
  } else if (!/^\/?\d*$/.test(new URL(url).pathname)) {
    faults.add('REDIS_URL', 'must have the number of a database as its path, or none')
  } else if (!hasDecodableCredentials(url)) {
    faults.add('REDIS_URL', CREDENTIALS_FAULT)
  }
  return url
}

/** Reads `OTEL_EXPORTER_OTLP_ENDPOINT`; undefined where it is unset. No fault shows it: it may have a password. */
export function readTracesUrl ({ OTEL_EXPORTER_OTLP_ENDPOINT: url }: Env, faults: Faults): string | undefined {
  if (url !== undefined && !(URL.canParse(url) && /^https?:\/\/[^?#]+$/.test(url))) {
    faults.add('OTEL_EXPORTER_OTLP_ENDPOINT', 'must be an http:// or https:// URL, without a query')
  }
  return url
}

function hasDecodableCredentials (url: string): boolean {
  const { username, password } = new URL(url)
  try {
    decodeURIComponent(`${username}:${password}`)
    return true
  } catch {
    return false
  }
}
