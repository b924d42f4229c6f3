/** A compiled topic template: turns a validated device identifier, and claims of a token, into a Topic Name. */
export interface TopicTemplate {
  /** The template as it was configured, e.g. `devices/{imei}/commands`. */
  readonly template: string
  /** The claims that stand in its topics, e.g. `tenant`, each once; empty: a device has one topic for all callers. */
  readonly claimNames: readonly string[]
  /**
   * Builds the Topic Name for one device.
   * @param imei must match {@link TOPIC_SEGMENT}; the route schema has checked it
   * @param claims of a verified token; default: none
   * @throws {RangeError} where one of them cannot stand in a topic: a separator or wildcard would name another topic
   */
  build(imei: string, claims?: object): string
}

/** What may stand for `{imei}`: never `/`, `+`, `#` or NUL. */
export const TOPIC_SEGMENT = /^[0-9A-Za-z_-]{1,64}$/

/** What may stand for a claim. No claim can open a topic with `$` [MQTT-4.7.2-1]. */
const CLAIM_SEGMENT = /^[0-9A-Za-z_.-]{1,64}$/

/** Longest UTF-8 encoded string of MQTT, in bytes [MQTT-1.5.4, MQTT-4.7.3-3]. */
const MAX_TOPIC_BYTES = 65_535

/** Longest replacement of a placeholder, in bytes (see {@link TOPIC_SEGMENT} and {@link CLAIM_SEGMENT}). */
const MAX_SEGMENT_BYTES = 64

/** Deepest topic that the usual brokers accept: Aedes stops at 100 levels, Mosquitto at 200. */
const MAX_TOPIC_LEVELS = 100

/**
 * What a UTF-8 string of MQTT must not have (lone surrogates, NUL) or should not have: controls and
 * non-characters, on which a broker may close the connection, and Mosquitto does (MQTT 5, section 1.5.4).
 */
const UNFIT_CHARACTER = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

const PLACEHOLDER = /\{([^{}]*)\}/g

/** The name is all after the first point: issuers have claims such as `https://acme.example/tenant`. It is told in a header. */
const CLAIM_PLACEHOLDER = /^claims\.([\x21\x23-\x5b\x5d-\x7e]+)$/

/**
 * Compiles a topic template, e.g. `devices/{imei}/commands` or `tenants/{claims.tenant}/devices/{imei}/commands`.
 * @throws {RangeError} saying which rule the template breaks
 */
export function compileTopic (template: string): TopicTemplate {
  const fault = findTemplateFault(template)
  if (fault !== undefined) throw new RangeError(fault)
  // Split at a pattern with a group: literals at even places, the names of placeholders at odd ones.
  const [first = '', ...rest] = template.split(PLACEHOLDER)
  const pieces: Array<{ claim: string | undefined, literal: string }> = []
  for (let i = 0; i < rest.length; i += 2) pieces.push({ claim: claimOf(String(rest[i])), literal: String(rest[i + 1]) })
  return {
    template,
    claimNames: [...new Set(pieces.map(({ claim }) => claim).filter(claim => claim !== undefined))],
    build (imei, claims = {}) {
      if (!TOPIC_SEGMENT.test(imei)) throw new RangeError('imei cannot stand in a topic')
      let topic = first
      for (const { claim, literal } of pieces) topic += (claim === undefined ? imei : segmentOf(claims, claim)) + literal
      return topic
    }
  }
}

/** The name of the claim that a placeholder stands for; undefined: it stands for something else. */
function claimOf (placeholder: string): string | undefined {
  return CLAIM_PLACEHOLDER.exec(placeholder)?.[1]
}

/** The first claim of a template that a token lacks, or that cannot stand in a topic; undefined: there is none. */
export function findUnusableClaim ({ claimNames }: TopicTemplate, claims: object): string | undefined {
  return claimNames.find(name => !canStandInTopic(valueOf(claims, name)))
}

function segmentOf (claims: object, name: string): string {
  const value = valueOf(claims, name)
  if (!canStandInTopic(value)) throw new RangeError(`the claim ${name} cannot stand in a topic: it must be a text of 1-64 of 0-9 A-Z a-z _ . -`)
  return value
}

function valueOf (claims: object, name: string): unknown {
  return (claims as Readonly<Record<string, unknown>>)[name]
}

function canStandInTopic (value: unknown): value is string {
  return typeof value === 'string' && CLAIM_SEGMENT.test(value)
}

function findTemplateFault (template: string): string | undefined {
  const names = placeholdersOf(template)
  const unknown = names.find(name => name !== 'imei' && claimOf(name) === undefined)
  if (unknown !== undefined) return `has the unknown placeholder {${unknown}}; there are {imei} and {claims.<name of a claim>}`
  if (!names.includes('imei')) return 'has no {imei}: every device would get every command'

  const fault = findLiteralFault(template)
  if (fault !== undefined) return fault
  if (template.replaceAll(PLACEHOLDER, (_, name) => name === 'imei' ? '{i}' : '{c}').split('/').some(mixesClaims)) {
    return 'has a claim and another placeholder in one level: two tenants could then name one topic'
  }
  return undefined
}

/** What a template breaks of the rules that hold for every topic, whatever stands for its placeholders; undefined: nothing. */
export function findLiteralFault (template: string): string | undefined {
  const literal = template.replaceAll(PLACEHOLDER, '')
  if (/[{}]/.test(literal)) return 'has a brace outside a placeholder'
  // The server must close the connection on these, for every caller at once.
  if (/[+#]/.test(literal)) return 'has a wildcard (+ or #), which a topic to publish to may not have [MQTT-3.3.2-2]'
  if (literal.includes('\0')) return 'has a NUL character [MQTT-4.7.3-2]'
  const [unfit] = UNFIT_CHARACTER.exec(template) ?? []
  if (unfit !== undefined) return `has the character ${nameCharacter(unfit)}, on which a broker may close the connection [MQTT-1.5.4]`
  if (template.startsWith('$')) return 'starts with $, which is kept for the broker [MQTT-4.7.2-1]'

  const longest = Buffer.byteLength(literal) + placeholdersOf(template).length * MAX_SEGMENT_BYTES
  if (longest > MAX_TOPIC_BYTES) return `gives topics over ${MAX_TOPIC_BYTES} bytes [MQTT-4.7.3-3]`
  if (literal.split('/').length > MAX_TOPIC_LEVELS) return `has more than ${MAX_TOPIC_LEVELS} levels`
  return undefined
}

/** The names in a template's braces, in their order. */
export function placeholdersOf (template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map(match => String(match[1]))
}

/** A character by its number, e.g. `U+000A`: what is refused cannot be seen. */
function nameCharacter (character: string): string {
  return `U+${Number(character.codePointAt(0)).toString(16).toUpperCase().padStart(4, '0')}`
}

/** Whether a level has a claim and more: tenant `a` with device `b-1` would share `{claims.tenant}-{imei}` with tenant `a-b` and device `1`. */
function mixesClaims (level: string): boolean {
  return level.includes('{c}') && level.split('{').length > 2
}
