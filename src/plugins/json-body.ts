import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser'
import { ProblemError } from '../errors.js'

/**
 * Takes `application/json` bodies and nothing else, and says where one that is not JSON goes wrong.
 *
 * Poisoned names (`__proto__`, `constructor`) are left in, as the plain members that
 * JSON.parse makes of them: the schemas of the routes refuse them by name, as any
 * other unknown member.
 */
export default fp(async (fastify: FastifyInstance) => {
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    let value: unknown
    try {
      value = JSON.parse(body.toString())
    } catch {
      done(new ProblemError('invalid_json', { detail: explain(body.toString()) }))
      return
    }
    done(null, value)
  })
}, { name: 'json-body', dependencies: ['error-handler'] })

/** Should the two parsers ever disagree. */
const AT_THE_START: ParseError = { error: 1, offset: 0, length: 0 }

/** Why and where a text is not JSON, with the line and the column counted from 1. */
function explain (text: string): string {
  if (text.trim() === '') return 'The body is empty'
  const errors: ParseError[] = []
  parse(text, errors, { disallowComments: true, allowTrailingComma: false })
  const [first] = [...errors, AT_THE_START] as const
  const before = text.slice(0, first.offset)
  const line = before.split('\n').length
  const column = first.offset - before.lastIndexOf('\n')
  const isComment = printParseErrorCode(first.error) === 'InvalidCommentToken'
  const what = isComment ? 'JSON has no comments: remove the one' : 'The body is not JSON: it goes wrong'
  return `${what} in line ${line}, column ${column}`
}
