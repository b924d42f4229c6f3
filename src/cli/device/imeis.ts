import { TOPIC_SEGMENT } from '../../mqtt/topic.js'

/**
 * The imeis of so many devices: the name itself for one; for more, the name and their numbers, all of one
 * length: `sim-0001` to `sim-1000`.
 * @throws {Error} where one of them is none
 */
export function nameDevices (name: string, count: number): string[] {
  const digits = String(count).length
  const imeis = count === 1 ? [name] : Array.from({ length: count }, (_, index) => `${name}-${String(index + 1).padStart(digits, '0')}`)
  const wrong = imeis.find(imei => !TOPIC_SEGMENT.test(imei))
  if (wrong !== undefined) throw new Error(`imei cannot stand in a topic: it must be 1-64 of 0-9 A-Z a-z _ -, not ${wrong}`)
  return imeis
}
