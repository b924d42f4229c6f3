/** The brokers of the suite: headings of the table. */
export const SUBJECTS = ['Mosquitto 2', 'Mosquitto 2, `MQTT_PROTOCOL=3.1.1`', 'RabbitMQ 3.10, `MQTT_PROTOCOL=3.1.1`', 'embedded'] as const
export type Subject = typeof SUBJECTS[number]

/**
 * What is asked of every broker, and what each must be found to do: in the order of {@link SUBJECTS}.
 * What a broker cannot do is a statement here, held to like any other.
 */
export const VERDICTS = {
  versions: {
    title: 'MQTT versions it accepts',
    expected: ['5, 3.1.1', '5, 3.1.1', '3.1.1', '5, 3.1.1']
  },
  noSubscriber: {
    title: 'Nobody subscribed: said in `Proxy-Status`',
    expected: ['yes', 'no', 'no', 'no']
  },
  example: {
    title: 'A command: 200, delivered once, QoS 1, not retained',
    expected: ['yes', 'yes', 'yes', 'yes']
  },
  hundred: {
    title: '100 commands at once: each 200, delivered once',
    expected: ['yes', 'yes', 'yes', 'yes']
  },
  properties: {
    title: '`id`, `request_id` and Content Type reach the device',
    expected: ['yes', 'no', 'no', 'yes']
  },
  interval: {
    title: 'Message Expiry Interval reaches the device',
    expected: ['yes', 'no', 'no', 'yes']
  },
  ttl: {
    title: 'A `ttl` in the request',
    expected: ['200', '400', '400', '200']
  },
  backInTime: {
    title: 'A device that was away and is back in time gets the command',
    expected: ['yes, with the interval that is left', 'yes', 'yes', 'yes, with the interval that is left']
  },
  backTooLate: {
    title: 'A device that is back too late gets it all the same',
    expected: ['no', 'yes', 'yes; not under the policy', 'no']
  },
  refused: {
    title: 'A topic that the access control forbids',
    expected: ['406', '200, and nothing arrives', '504, the connection is closed', 'there is no access control']
  },
  neighbour: {
    title: 'A command that is allowed, right behind it',
    expected: ['200', '200', '504', '200']
  },
  eavesdropper: {
    title: 'A device that listens to the commands of another',
    expected: ['gets nothing', 'gets nothing', 'gets nothing', 'gets them']
  },
  thief: {
    title: 'A device that comes with the client identifier of another, for which commands wait',
    expected: ['gets nothing', 'gets nothing', 'gets nothing', 'gets them']
  },
  credentials: {
    title: 'A wrong password',
    expected: ['never ready', 'never ready', 'never ready', 'nobody is asked for one']
  },
  receiveMaximum: {
    title: 'Receive Maximum announced, and kept',
    expected: ['20', 'no', 'no', 'no']
  },
  tooLarge: {
    title: 'A command over its maximum packet size',
    expected: ['406', '504, the connection is closed', 'there is no maximum', 'there is no maximum']
  },
  restart: {
    title: 'After its restart: ready by itself, and nothing arrives that was answered 406',
    expected: ['yes', 'yes', 'yes', 'yes']
  }
} as const satisfies Record<string, { title: string, expected: readonly [string, string, string, string] }>

/** What was found of one broker. */
export type Verdicts = Readonly<Record<keyof typeof VERDICTS, string>>

/** What must be found of a broker. */
export function expectedOf (subject: Subject): Verdicts {
  const column = SUBJECTS.indexOf(subject)
  return Object.fromEntries(Object.entries(VERDICTS).map(([id, { expected }]) => [id, expected[column]])) as Verdicts
}
