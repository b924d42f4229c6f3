import { findLiteralFault, placeholdersOf } from './topic.js'

/** A compiled template of the topics that devices answer to, e.g. `messenger/{instance}/replies/{imei}`. */
export interface ReplyTopicTemplate {
  /** The template as it was configured. */
  readonly template: string
  /** The topic that one device answers to. */
  build(instance: string, imei: string): string
  /** The Topic Filter of all answers to one process. */
  filter(instance: string): string
}

/**
 * Compiles a template of reply topics. `{instance}` stands for this run of the process, so that each
 * hears the answers to its own commands only; `{imei}` for the device, so that none can answer for another.
 * @throws {RangeError} saying which rule the template breaks
 */
export function compileReplyTopic (template: string): ReplyTopicTemplate {
  const fault = findFault(template)
  if (fault !== undefined) throw new RangeError(fault)
  const fill = (instance: string, imei: string) => template.replaceAll('{instance}', instance).replaceAll('{imei}', imei)
  return { template, build: fill, filter: instance => fill(instance, '+') }
}

function findFault (template: string): string | undefined {
  const names = placeholdersOf(template)
  const unknown = names.find(name => name !== 'imei' && name !== 'instance')
  if (unknown !== undefined) return `has the unknown placeholder {${unknown}}; there are {instance} and {imei}`
  if (!names.includes('instance')) return 'has no {instance}: every process would get the answers to all others'
  if (!names.includes('imei')) return 'has no {imei}: a device could answer for another'
  const fault = findLiteralFault(template)
  if (fault !== undefined) return fault
  if (template.split('/').some(level => level.includes('{imei}') && level !== '{imei}')) {
    return 'has {imei} and more in one level: it could not be subscribed to for all devices [MQTT-4.7.1-2]'
  }
  return undefined
}
