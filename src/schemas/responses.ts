import type { TSchema } from '@sinclair/typebox'
import { catalogue, type ProblemCode } from '../errors.js'
import { Problem } from './problem.js'

/** Response headers, by name, as OpenAPI Header Objects without the wrapping that @fastify/swagger adds. */
type Headers = Readonly<Record<string, { type: 'string', description: string, examples: string[] }>>

/** On every response. */
const REQUEST_ID: Headers = {
  'X-Request-Id': {
    type: 'string',
    description: 'Names this HTTP exchange: the caller\'s own, where it sent a valid one',
    examples: ['a1e1b1c1-5d0f-4c53-9d6c-0d4f0a3c8a11']
  }
}

/** Header descriptions that several routes share. */
export const HEADERS = {
  'Accept-Encoding': { type: 'string', description: 'How a body may be encoded, where that is what is wrong', examples: ['identity'] },
  'Preference-Applied': { type: 'string', description: 'How long the reply was waited for, where that was asked for (RFC 7240)', examples: ['wait=10'] },
  'Proxy-Status': {
    type: 'string',
    description: 'What became of the publish (RFC 9209)',
    examples: ['messenger; error=destination_unavailable']
  },
  'Idempotency-Replayed': {
    type: 'string',
    description: 'This answer was given before, to the first request with this `Idempotency-Key`; nothing was published for this one',
    examples: ['true']
  },
  'RateLimit-Limit': { type: 'string', description: 'Most commands in the tightest window of the limits, where there are any', examples: ['100'] },
  'RateLimit-Remaining': { type: 'string', description: 'How many are left in it', examples: ['99'] },
  'RateLimit-Reset': { type: 'string', description: 'Seconds until it starts anew', examples: ['1'] },
  'Retry-After': { type: 'string', description: 'Seconds after which to try again', examples: ['1'] },
  'WWW-Authenticate': {
    type: 'string',
    description: 'What is wrong with the token (RFC 6750, section 3)',
    examples: ['Bearer realm="messenger", error="invalid_token", error_description="The access token has expired"']
  }
} as const satisfies Headers

/** A response with a JSON body of this schema. */
export function jsonResponse (description: string, schema: TSchema, example: unknown, headers: Headers = {}) {
  return {
    description,
    headers: { ...REQUEST_ID, ...headers },
    content: { 'application/json': { schema, example } }
  }
}

/** The response for a status, with each problem that it can carry as an example. */
export function problemResponse (codes: readonly [ProblemCode, ...ProblemCode[]], headers: Headers = {}) {
  const examples = Object.fromEntries(codes.map(code => {
    const { status, title, detail } = catalogue[code]
    return [code, { value: { title, status, code, detail } }]
  }))
  return {
    description: codes.map(code => catalogue[code].title).join(', or: '),
    headers: { ...REQUEST_ID, ...headers },
    content: { 'application/problem+json': { schema: Problem, examples } }
  }
}
