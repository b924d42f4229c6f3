import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../errors.js'

/**
 * Answers 404 to paths that are not there, and 405 to methods that a path does not take: before
 * the body is read, so that nothing in it gets another answer first.
 */
export default fp(async (fastify: FastifyInstance) => {
  const paths = new Set<string>()
  const methodsByPath = new Map<string, readonly string[]>()

  fastify.addHook('onRoute', ({ url }) => { paths.add(url) })
  fastify.addHook('onReady', async () => {
    // Of the router itself: of a path that a plugin's prefix gives a slash, the hook above hears of HEAD only.
    for (const url of paths) methodsByPath.set(url, fastify.supportedMethods.filter(method => fastify.hasRoute({ method, url })))
  })

  function answerTo (target: string): ProblemError {
    const path = pathOf(target)
    const methods = methodsByPath.get(path) ?? methodsByPath.get(folderOf(path))
    if (methods === undefined) return new ProblemError('not_found')
    return new ProblemError('method_not_allowed', { headers: { allow: methods.join(', ') } })
  }

  fastify.addHook('onRequest', (request, _reply, done) => {
    // The router does not look at the first character: it takes `*`, which names no resource (RFC 9112, section 3.2.4), for the root.
    if (!request.is404 && !request.url.startsWith('*')) {
      done()
      return
    }
    done(answerTo(request.url))
  })

  // Of a route for a folder that has no such file.
  fastify.setNotFoundHandler(() => { throw new ProblemError('not_found') })
}, { name: 'not-found', dependencies: ['error-handler'] })

/**
 * The path of a target as the router compares it: without scheme and host (RFC 9112, section 3.2.2), its
 * percent-encodings read. The router has refused those that cannot be read.
 */
function pathOf (target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split(/[?#]/)
  // An absolute one may have none (RFC 9110, section 4.2.3).
  return path === '' ? '/' : decodeURI(path)
}

/** As a route for all files of a folder is registered. */
function folderOf (path: string): string {
  // A search for the end of the text would begin anew at each of its characters.
  return `${path.slice(0, path.lastIndexOf('/') + 1)}*`
}
