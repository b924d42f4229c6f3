import type { FastifySchemaValidationError } from 'fastify'
import type { Fault } from './problem.js'

/** The most faults of one body that are told; a body may have thousands. */
const MAX_FAULTS = 10

/**
 * Ajv's errors as faults for people: where, by JSON Pointer (RFC 6901), and what is wrong.
 * Where a schema has a description, that is what the value must be.
 */
export function describeFaults (errors: readonly FastifySchemaValidationError[]): Fault[] {
  // One value may break several rules that are told as one.
  const faults = [...new Map(errors.map(describeFault).map(fault => [`${fault.pointer} ${fault.detail}`, fault])).values()]
  const told = faults.slice(0, MAX_FAULTS)
  if (faults.length > told.length) told.push({ pointer: '', detail: `and ${faults.length - told.length} faults more` })
  return told
}

/** Longest name of a member that is told whole, in characters: the longest that is known has nine. */
const MAX_NAME = 128

function describeFault (error: FastifySchemaValidationError): Fault {
  const { instancePath, keyword, params } = error
  if (keyword === 'additionalProperties') {
    return { pointer: `${instancePath}/${escapePointer(shorten(String(params.additionalProperty)))}`, detail: 'is not a known member; nothing may be sent that is not understood' }
  }
  if (keyword === 'required') {
    return { pointer: `${instancePath}/${escapePointer(String(params.missingProperty))}`, detail: 'is required' }
  }
  const description = descriptionOf(error)
  return { pointer: instancePath, detail: description === undefined ? error.message ?? 'is not valid' : `must be ${description}` }
}

/** With Ajv's `verbose` an error carries the schema that it breaks. */
function descriptionOf (error: FastifySchemaValidationError & { parentSchema?: unknown }): string | undefined {
  const { parentSchema } = error
  if (typeof parentSchema !== 'object' || parentSchema === null || !('description' in parentSchema)) return undefined
  return String(parentSchema.description)
}

/** A caller chooses it: told whole, it could make the answer, and its record, larger than the request. */
function shorten (name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name
}

/** RFC 6901, section 3. */
function escapePointer (name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
