import type { WriteBatch } from './write-batch.js'

/** The MQTT 5 properties that a command is published with (MQTT 5, 3.3.2.3). */
export interface PublishProperties {
  /** Message Expiry Interval, in seconds. */
  readonly messageExpiryInterval: number
  readonly contentType: string
  readonly userProperties: Readonly<Record<string, string>>
  /** Where the device is to answer; undefined: it need not. */
  readonly responseTopic: string | undefined
  /** What its answer is to have, in ASCII; undefined where there is no Response Topic. */
  readonly correlationData: string | undefined
}

/** A PUBLISH packet at QoS 1, not retained, not a duplicate. */
export interface PublishPacket {
  readonly packetId: number
  readonly topic: string
  readonly payload: string
  /** Undefined in MQTT 3.1.1, which has none. */
  readonly properties: PublishProperties | undefined
}

/** PUBLISH with QoS 1, neither DUP nor RETAIN (MQTT 5, 3.3.1). */
const FIXED_HEADER = 0x32

/** Property identifiers (MQTT 5, table 2-4). */
const MESSAGE_EXPIRY_INTERVAL = 0x02
const CONTENT_TYPE = 0x03
const RESPONSE_TOPIC = 0x08
const CORRELATION_DATA = 0x09
const USER_PROPERTY = 0x26

/** Up to so many characters are counted, and copied, one by one: a call into native code costs more. */
const SHORT = 64

/**
 * Writes a PUBLISH packet.
 *
 * MQTT.js puts one together from some twenty pieces, each a Buffer or a call of its own: a
 * fifth of all that a request cost, and a quarter of the garbage.
 */
export function encodePublish (batch: WriteBatch, { topic, payload, packetId, properties }: PublishPacket): void {
  const propertyLength = measureProperties(properties)
  const remainingLength = measureRemaining(topic, payload, propertyLength)
  let at = batch.reserve(1 + measureVariableByteInteger(remainingLength) + remainingLength)
  const { buffer } = batch
  buffer[at++] = FIXED_HEADER
  at = putVariableByteInteger(buffer, at, remainingLength)
  at = putUtf8(buffer, at, topic)
  buffer[at++] = packetId >> 8
  buffer[at++] = packetId & 0xFF
  if (properties !== undefined) {
    at = putVariableByteInteger(buffer, at, propertyLength)
    at = putProperties(buffer, at, properties)
  }
  putText(buffer, at, payload)
}

/** Bytes that a PUBLISH packet takes (MQTT 5, 3.3). */
export function measurePublish ({ topic, payload, properties }: Omit<PublishPacket, 'packetId'>): number {
  const remainingLength = measureRemaining(topic, payload, measureProperties(properties))
  return 1 + measureVariableByteInteger(remainingLength) + remainingLength
}

/** @param propertyLength as {@link measureProperties} says */
function measureRemaining (topic: string, payload: string, propertyLength: number): number {
  const packetIdentifier = 2
  const properties = propertyLength === 0 ? 0 : measureVariableByteInteger(propertyLength) + propertyLength
  return measureUtf8(topic) + packetIdentifier + properties + measureText(payload)
}

/** The Property Length (MQTT 5, 2.2.2.1); 0 in MQTT 3.1.1, and never in MQTT 5: a command expires. */
function measureProperties (properties: PublishProperties | undefined): number {
  if (properties === undefined) return 0
  const { contentType, userProperties, responseTopic, correlationData } = properties
  const expiry = 5
  let length = expiry + 1 + measureUtf8(contentType)
  for (const name in userProperties) length += 1 + measureUtf8(name) + measureUtf8(String(userProperties[name]))
  if (responseTopic !== undefined) length += 1 + measureUtf8(responseTopic)
  if (correlationData !== undefined) length += 1 + measureUtf8(correlationData)
  return length
}

function putProperties (target: Buffer, at: number, properties: PublishProperties): number {
  const { messageExpiryInterval, contentType, userProperties, responseTopic, correlationData } = properties
  let end = at
  target[end++] = MESSAGE_EXPIRY_INTERVAL
  end = target.writeUInt32BE(messageExpiryInterval, end)
  target[end++] = CONTENT_TYPE
  end = putUtf8(target, end, contentType)
  for (const name in userProperties) {
    target[end++] = USER_PROPERTY
    end = putUtf8(target, end, name)
    end = putUtf8(target, end, String(userProperties[name]))
  }
  if (responseTopic !== undefined) {
    target[end++] = RESPONSE_TOPIC
    end = putUtf8(target, end, responseTopic)
  }
  if (correlationData !== undefined) {
    target[end++] = CORRELATION_DATA
    // Binary Data is written as a text of ASCII is (MQTT 5, 1.5.6).
    end = putUtf8(target, end, correlationData)
  }
  return end
}

/** A UTF-8 Encoded String takes two bytes of length, then its text (MQTT 5, 1.5.4). */
function measureUtf8 (text: string): number {
  return 2 + measureText(text)
}

/** Bytes of a text as UTF-8. */
function measureText (text: string): number {
  if (text.length > SHORT) return Buffer.byteLength(text)
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7F) return Buffer.byteLength(text)
  }
  return text.length
}

function putUtf8 (target: Buffer, at: number, text: string): number {
  const end = putText(target, at + 2, text)
  const length = end - at - 2
  target[at] = length >> 8
  target[at + 1] = length & 0xFF
  return end
}

/** @returns where it ends */
function putText (target: Buffer, at: number, text: string): number {
  if (text.length > SHORT) return at + target.write(text, at)
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    // Not ASCII: as UTF-8 it takes more than a byte.
    if (code > 0x7F) return at + target.write(text, at)
    target[at + index] = code
  }
  return at + text.length
}

/** Bytes that a Variable Byte Integer takes (MQTT 5, 1.5.5); our packets stay far under its limit. */
function measureVariableByteInteger (value: number): number {
  if (value < 128) return 1
  return value < 16_384 ? 2 : 3
}

function putVariableByteInteger (target: Buffer, at: number, value: number): number {
  let end = at
  let rest = value
  while (rest > 127) {
    target[end++] = rest & 0x7F | 0x80
    rest >>= 7
  }
  target[end++] = rest
  return end
}
