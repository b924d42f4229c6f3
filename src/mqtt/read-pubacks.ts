import type { Readable } from 'node:stream'
import { NO_MATCHING_SUBSCRIBERS } from './reason-codes.js'

/** Packet type and flags of a PUBACK (MQTT 5, 3.4.1). */
const PUBACK = 0x40

/** A PUBACK with nothing but a Packet Identifier; and one with a reason code and a Property Length of 0 (MQTT 5, 3.4.2). */
const SHORTEST = 4
const LONGEST = 6

const NOTHING = Buffer.alloc(0)

/** Takes a PUBACK that accepts a publish. @returns whether that publish was in flight */
export type TakePuback = (packetId: number, reasonCode: number) => boolean

/**
 * Takes the PUBACKs that accept a publish out of what a stream reads, and leaves the rest to its reader.
 *
 * Nearly all that a gateway receives is such PUBACKs. MQTT.js makes objects of each, tells its listeners,
 * looks who waits for it and asks its store, which costs as much as to write the command. A refusal, a
 * PUBACK with properties, one that nobody waits for, and every other packet are MQTT.js's to judge.
 */
export function readPubacks (stream: Readable, take: TakePuback): void {
  const push = stream.push.bind(stream)
  const split = createSplitter(take)

  stream.push = (chunk: Buffer | null): boolean => {
    if (chunk === null) return push(null)
    const rest = split(chunk)
    return rest.length === 0 || push(rest)
  }
}

/** Makes a function that is given what is read, as it comes, and returns what is not taken of it. */
export function createSplitter (take: TakePuback): (chunk: Buffer) => Buffer {
  /** The beginning of a packet: too little to tell what it is. */
  let held: Buffer = NOTHING
  /** Bytes that are still to come of a packet that is not taken. */
  let foreign = 0

  return chunk => {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    let at = Math.min(foreign, bytes.length)
    foreign -= at
    const rest = at === 0 ? [] : [bytes.subarray(0, at)]
    while (at < bytes.length) {
      const size = measurePacket(bytes, at)
      const end = at + size
      const isShort = isShortPuback(bytes, at, size)
      // Not yet known, or a PUBACK of which the end is still to come.
      if (size === 0 || (isShort && end > bytes.length)) break
      if (!isShort || !takeFrom(bytes, at, size, take)) {
        rest.push(bytes.subarray(at, end))
        foreign = Math.max(0, end - bytes.length)
      }
      at = end
    }
    held = at < bytes.length ? bytes.subarray(at) : NOTHING
    return rest.length === 0 ? NOTHING : Buffer.concat(rest)
  }
}

/** Bytes of the packet that begins there; 0 where too little has come to know (MQTT 5, 2.1.4). */
function measurePacket (bytes: Buffer, at: number): number {
  let length = 0
  for (let digit = 0; digit < 4; digit += 1) {
    const byte = bytes[at + 1 + digit]
    if (byte === undefined) return 0
    length += (byte & 0x7F) * 128 ** digit
    if (byte < 128) return 2 + digit + length
  }
  // No packet has a length of five bytes: MQTT.js is to say so, and nothing after it can be understood.
  return Infinity
}

/** Whether a PUBACK begins there that has no properties. */
function isShortPuback (bytes: Buffer, at: number, size: number): boolean {
  return bytes[at] === PUBACK && bytes[at + 1] === size - 2 && size >= SHORTEST && size <= LONGEST
}

function takeFrom (bytes: Buffer, at: number, size: number, take: TakePuback): boolean {
  const reasonCode = size === SHORTEST ? 0 : bytes[at + 4]
  if (reasonCode !== 0 && reasonCode !== NO_MATCHING_SUBSCRIBERS) return false
  const propertyLength = size < LONGEST ? 0 : bytes[at + 5]
  return propertyLength === 0 && take(bytes.readUInt16BE(at + 2), reasonCode)
}
