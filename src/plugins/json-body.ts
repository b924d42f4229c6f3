import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from '../errors.js'
import { findDuplicateMember, type Json } from '../json/duplicates.js'
import { explainInvalidJson } from '../json/explain.js'
import { describePlace } from '../json/place.js'

/**
 * Takes `application/json` bodies, not compressed, and nothing else, and says where one that is not JSON goes wrong.
 *
 * Poisoned names (`__proto__`, `constructor`) are left in, as the plain members that
 * JSON.parse makes of them: the schemas of the routes refuse them by name, as any
 * other unknown member.
 */
export default fp(async (fastify: FastifyInstance) => {
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    const text = body.toString()
    let value: Json
    try {
      value = JSON.parse(text)
    } catch {
      done(new ProblemError('invalid_json', { detail: explainInvalidJson(text) }))
      return
    }
    // Whoever looked at the body before us may have read the first of the two; JSON.parse takes the last.
    const duplicate = findDuplicateMember(text, value)
    if (duplicate === undefined) done(null, value)
    else done(new ProblemError('invalid_json', { detail: `The member ${duplicate.name} is there twice, again in ${describePlace(text, duplicate.offset)}` }))
  })

  fastify.addHook('onRoute', route => {
    if (route.schema?.body === undefined) return
    // After the token, before the body is read.
    route.onRequest = [route.onRequest, refuseEncoding].flat().filter(hook => hook !== undefined)
  })
}, { name: 'json-body', dependencies: ['auth', 'error-handler'] })

/** Encoded bodies would only be found to be no JSON (RFC 9110, section 15.5.16). */
function refuseEncoding (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void {
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding.toLowerCase() === 'identity') {
    done()
    return
  }
  done(new ProblemError('unsupported_media_type', {
    detail: 'Send the body without a Content-Encoding',
    headers: { 'accept-encoding': 'identity' }
  }))
}
