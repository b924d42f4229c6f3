/** PUBACK reason code: accepted, and nobody is subscribed to the topic (MQTT 5, 3.4.2.1). */
export const NO_MATCHING_SUBSCRIBERS = 0x10

/** PUBACK reason code: the broker's access control refused the publish (MQTT 5, 3.4.2.1). */
export const NOT_AUTHORIZED = 0x87

/** PUBACK reason code: a limit of the broker or its administrator was exceeded (MQTT 5, 3.4.2.1). */
export const QUOTA_EXCEEDED = 0x97

/** Reason codes from here on mean that the message was refused (MQTT 5, 2.4). */
const FIRST_REFUSAL = 0x80

/** The names MQTT 5 gives to the PUBACK refusals (table 3-4), in lower case. */
const REFUSALS = new Map([
  [0x80, 'unspecified error'],
  [0x83, 'implementation specific error'],
  [NOT_AUTHORIZED, 'not authorized'],
  [0x90, 'topic name invalid'],
  [0x91, 'packet identifier in use'],
  [QUOTA_EXCEEDED, 'quota exceeded'],
  [0x99, 'payload format invalid']
])

/** Whether a PUBACK with this reason code refused the message. */
export function isRefusal (reasonCode: number): boolean {
  return reasonCode >= FIRST_REFUSAL
}

/** The name of a refusal as MQTT 5 spells it, e.g. `quota exceeded`; a code it does not define as `reason code 0x9f`. */
export function nameRefusal (reasonCode: number): string {
  return REFUSALS.get(reasonCode) ?? `reason code 0x${reasonCode.toString(16)}`
}
