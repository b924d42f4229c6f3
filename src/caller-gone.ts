import type { IncomingMessage } from 'node:http'
import { setImmediate } from 'node:timers/promises'

/**
 * Whether the caller of a request has closed its connection, or its side of it, which Node.js takes for the same, or whether that
 * connection broke. What has come right behind the request counts, too: a server or a link that has stood still gets both at
 * once, and whoever sent them may have asked another server meanwhile. An end that is still on its way cannot be known, and a
 * connection that this server has ended itself is none of its caller's doing.
 */
export async function isCallerGone ({ raw: { socket } }: { readonly raw: IncomingMessage }): Promise<boolean> {
  // Sockets are read between two turns of immediates.
  await setImmediate()
  await setImmediate()
  return socket.readableEnded || socket.errored instanceof Error
}
