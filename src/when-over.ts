import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Runs a function when a response is over: it was sent, or its connection has ended; at once where it is over by now.
 * It may be run more than once.
 *
 * Of a response that is still behind another of its connection, before Node.js 24 only the connection tells of its end.
 */
export function whenOver ({ raw: { socket } }: { readonly raw: IncomingMessage }, { raw: response }: { readonly raw: ServerResponse }, run: () => void): void {
  if (response.closed || socket.destroyed) {
    run()
    return
  }
  // It closes once, and `once` costs more.
  response.on('close', run)
  if (response.socket !== null) return
  // There may be many behind one.
  socket.setMaxListeners(0)
  socket.once('close', run)
  response.on('close', () => { socket.off('close', run) })
}
