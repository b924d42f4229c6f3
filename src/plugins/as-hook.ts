import type { FastifyRequest } from 'fastify'

/** A hook that passes or throws at once: no promise is made for it. */
export function asHook (check: (request: FastifyRequest) => void) {
  return (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
    try {
      check(request)
    } catch (error) {
      done(error as Error)
      return
    }
    done()
  }
}
