/** A compiled topic template: turns a validated device identifier into a Topic Name. */
export interface TopicTemplate {
  /** The template as it was configured, e.g. `devices/{imei}/commands`. */
  readonly template: string
  /**
   * Builds the Topic Name for one device.
   * @param imei must match {@link TOPIC_SEGMENT}; the route schema has checked it
   * @throws {RangeError} where it does not: a separator or wildcard in it would name another topic
   */
  build(imei: string): string
}

/** What may stand for a placeholder: never `/`, `+`, `#` or NUL. */
export const TOPIC_SEGMENT = /^[0-9A-Za-z_-]{1,64}$/

/** Longest UTF-8 encoded string of MQTT, in bytes [MQTT-1.5.4, MQTT-4.7.3-3]. */
const MAX_TOPIC_BYTES = 65_535

/** Longest replacement of a placeholder, in bytes (see {@link TOPIC_SEGMENT}). */
const MAX_SEGMENT_BYTES = 64

/** Deepest topic that the usual brokers accept: Aedes stops at 100 levels, Mosquitto at 200. */
const MAX_TOPIC_LEVELS = 100

/**
 * What a UTF-8 string of MQTT must not have (lone surrogates, NUL) or should not have: controls and
 * non-characters, on which a broker may close the connection, and Mosquitto does (MQTT 5, section 1.5.4).
 */
const UNFIT_CHARACTER = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

const PLACEHOLDER = /\{([^{}]*)\}/g

/**
 * Compiles a topic template, e.g. `devices/{imei}/commands`.
 * @throws {RangeError} saying which rule the template breaks
 */
export function compileTopic (template: string): TopicTemplate {
  const fault = findTemplateFault(template)
  if (fault !== undefined) throw new RangeError(fault)
  const literals = template.split('{imei}')
  return {
    template,
    build (imei) {
      if (!TOPIC_SEGMENT.test(imei)) throw new RangeError('imei cannot stand in a topic')
      return literals.join(imei)
    }
  }
}

function findTemplateFault (template: string): string | undefined {
  const names = [...template.matchAll(PLACEHOLDER)].map(match => match[1])
  const unknown = names.find(name => name !== 'imei')
  if (unknown !== undefined) return `has the unknown placeholder {${unknown}}; {imei} is the only one`
  if (!names.includes('imei')) return 'has no {imei}: every device would get every command'

  const literal = template.replaceAll('{imei}', '')
  if (/[{}]/.test(literal)) return 'has a brace outside a placeholder'
  // The server must close the connection on these, for every caller at once.
  if (/[+#]/.test(literal)) return 'has a wildcard (+ or #), which a topic to publish to may not have [MQTT-3.3.2-2]'
  if (literal.includes('\0')) return 'has a NUL character [MQTT-4.7.3-2]'
  const [unfit] = UNFIT_CHARACTER.exec(template) ?? []
  if (unfit !== undefined) return `has the character ${nameCharacter(unfit)}, on which a broker may close the connection [MQTT-1.5.4]`
  if (template.startsWith('$')) return 'starts with $, which is kept for the broker [MQTT-4.7.2-1]'

  const longest = Buffer.byteLength(literal) + names.length * MAX_SEGMENT_BYTES
  if (longest > MAX_TOPIC_BYTES) return `gives topics over ${MAX_TOPIC_BYTES} bytes [MQTT-4.7.3-3]`
  if (template.split('/').length > MAX_TOPIC_LEVELS) return `has more than ${MAX_TOPIC_LEVELS} levels`
  return undefined
}

/** A character by its number, e.g. `U+000A`: what is refused cannot be seen. */
function nameCharacter (character: string): string {
  return `U+${Number(character.codePointAt(0)).toString(16).toUpperCase().padStart(4, '0')}`
}
