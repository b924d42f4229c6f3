import { Type, type Static } from '@sinclair/typebox'

/** One fault of a request body (RFC 9457, section 3, the `errors` extension of its example). */
export const Fault = Type.Object({
  pointer: Type.String({ description: 'Where: a JSON Pointer (RFC 6901) into the body', examples: ['/imei'] }),
  detail: Type.String({ description: 'What is wrong there' })
})
export type Fault = Static<typeof Fault>

/** Every answer that is not one of the two documented bodies (RFC 9457). */
export const Problem = Type.Object({
  title: Type.String({ description: 'What kind of problem it is: the same for the same `code`' }),
  status: Type.Integer({ description: 'The HTTP status' }),
  code: Type.String({ description: 'Stable name of the problem, for programs' }),
  detail: Type.String({ description: 'What went wrong this time, for people' }),
  errors: Type.Optional(Type.Array(Fault, { description: 'The faults of the body, each with its place' }))
})
export type Problem = Static<typeof Problem>
