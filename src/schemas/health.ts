import { Type, type Static } from '@sinclair/typebox'

/** The process is up and answers. */
export const Live = Type.Object({ status: Type.Literal('live') })
export type Live = Static<typeof Live>

/** The process would publish a command now. */
export const Ready = Type.Object({ status: Type.Literal('ready') })
export type Ready = Static<typeof Ready>
