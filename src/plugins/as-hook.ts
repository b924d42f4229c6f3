import type { FastifyRequest } from 'fastify'

/** A hook that passes or throws at once, or when its promise does: none is made for it here. */
export function asHook (check: (request: FastifyRequest) => Promise<void> | void) {
  return (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
    try {
      const pending = check(request)
      if (pending instanceof Promise) {
        pending.then(() => { done() }, done)
        return
      }
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }
}
