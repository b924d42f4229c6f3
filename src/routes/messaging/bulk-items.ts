import type { FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { ProblemError } from '../../errors.js'
import { TOPIC_SEGMENT } from '../../mqtt/topic.js'
import type { BulkItem } from '../../plugins/authorization.js'
import { describeFaults } from '../../schemas/faults.js'
import type { BulkAnswer, BulkResult, SendBody } from '../../schemas/messaging.js'
import { answerTo } from './outcome-reply.js'

/** Where the faults of a command are: its number, then the place in it. */
const COMMAND = /^\/commands\/(\d+)/

/**
 * The commands of a bulk request, those that are not valid among them.
 * @param validationError what the schema of the route found, for all commands together
 * @throws {ProblemError} `invalid_body` (400) where what is around the commands is not valid
 */
export function readItems (body: unknown, validationError: FastifyRequest['validationError']): BulkItem[] {
  const faults: readonly FastifySchemaValidationError[] = validationError?.validation ?? []
  const outer: FastifySchemaValidationError[] = []
  const faultsByIndex = new Map<number, FastifySchemaValidationError[]>()
  for (const fault of faults) {
    const place = COMMAND.exec(fault.instancePath)
    if (place === null) {
      outer.push(fault)
      continue
    }
    const index = Number(place[1])
    const known = faultsByIndex.get(index)
    const inItem = { ...fault, instancePath: fault.instancePath.slice(place[0].length) }
    if (known === undefined) faultsByIndex.set(index, [inItem])
    else known.push(inItem)
  }
  if (outer.length > 0) throw new ProblemError('invalid_body', { errors: describeFaults(outer) })
  // The schema has checked it but for the faults.
  const { commands } = body as { commands: readonly unknown[] }
  return commands.map((command, index) => readItem(command, faultsByIndex.get(index)))
}

function readItem (item: unknown, faults: readonly FastifySchemaValidationError[] | undefined): BulkItem {
  if (faults === undefined) {
    const command = item as SendBody
    return { imei: command.imei, command, topic: '', refusal: undefined, sent: undefined }
  }
  const told = describeFaults(faults).map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; ')
  const refusal = new ProblemError('invalid_body', { detail: `The command does not fit its schema: ${told}` })
  return { imei: imeiOf(item), command: undefined, topic: '', refusal, sent: undefined }
}

/** The imei of a command that is not valid, where at least that is. */
function imeiOf (item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !('imei' in item)) return null
  const { imei } = item
  return typeof imei === 'string' && TOPIC_SEGMENT.test(imei) ? imei : null
}

/** What became of each command. Of one that was neither refused nor sent, that is unknown. */
export function answerFor (items: readonly BulkItem[]): BulkAnswer {
  return { results: items.map(resultOf) }
}

/** The answer where nobody can tell what became of the commands. */
export function unknownAnswerFor (items: readonly BulkItem[]): BulkAnswer {
  return { results: items.map(({ imei }) => refusedResult(imei)) }
}

function resultOf ({ imei, refusal, sent }: BulkItem): BulkResult {
  if (sent === undefined) return refusedResult(imei, refusal)
  const { status, body } = answerTo(sent)
  return { imei, status, detail: body.detail, ...('code' in body && { code: body.code }) }
}

function refusedResult (imei: string | null, problem = new ProblemError('delivery_unknown')): BulkResult {
  return { imei, status: problem.statusCode, detail: problem.message, code: problem.code }
}
