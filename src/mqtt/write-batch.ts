import type { Writable } from 'node:stream'

/** Room for the packets of a turn, in bytes; more are sent in several parts. */
const BATCH_BYTES = 262_144

/** What is sent on a connection at the end of this turn of the event loop. */
export interface WriteBatch {
  readonly buffer: Buffer
  /**
   * Makes room behind all that was written to the stream before. Who asks must fill it, now.
   * @param bytes at most 262,144
   * @returns where in the buffer it begins
   */
  reserve(bytes: number): number
}

/**
 * Makes a stream send what is written to it in one turn of the event loop as one buffer.
 *
 * MQTT.js writes a packet in some twenty pieces and sends them at the end of the
 * tick, so that each request made a system call of its own, of twenty parts: under load
 * a quarter of all CPU time.
 */
export function createWriteBatch (stream: Writable): WriteBatch {
  const writeNow = stream.write.bind(stream)
  const buffer = Buffer.allocUnsafe(BATCH_BYTES)
  let length = 0
  let isScheduled = false

  function flush (): void {
    isScheduled = false
    // There is nothing left where a part was sent before the turn was over.
    if (length > 0 && !stream.destroyed) writeNow(Buffer.from(buffer.subarray(0, length)))
    length = 0
  }

  function reserve (bytes: number): number {
    if (length + bytes > BATCH_BYTES) flush()
    if (!isScheduled) {
      isScheduled = true
      setImmediate(flush)
    }
    const at = length
    length += bytes
    return at
  }

  stream.write = (piece: Buffer | string): boolean => {
    const bytes = Buffer.from(piece)
    bytes.copy(buffer, reserve(bytes.length))
    // What is in flight is bounded by the window: there is no back-pressure to pass on.
    return true
  }

  return { buffer, reserve }
}
