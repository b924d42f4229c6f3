import t, { type Test } from 'tap'
import { skipWithoutMosquitto } from '../helpers/mosquitto.js'
import { skipWithoutRabbitmq } from '../helpers/rabbitmq.js'
import { checkExample, checkHundred, checkNoSubscriber, checkTtl, checkVersions } from './checks/delivery.js'
import { checkAway } from './checks/expiry.js'
import { checkReceiveMaximum, checkRefused, checkTooLarge } from './checks/refusals.js'
import { checkRestart } from './checks/restart.js'
import { checkCredentials, checkEavesdropper, checkThief } from './checks/strangers.js'
import { formatTable, readTable, writeTable } from './docs.js'
import type { Broker } from './subjects/broker.js'
import { startEmbedded } from './subjects/embedded.js'
import { startSecuredMosquitto } from './subjects/mosquitto.js'
import { startSecuredRabbitmq } from './subjects/rabbitmq.js'
import { expectedOf, SUBJECTS, type Subject, type Verdicts } from './verdicts.js'

/** In this order: nobody must have subscribed before the second, and the last one takes the broker down. */
const CHECKS: ReadonlyArray<[string, (t: Test, broker: Broker) => Promise<Partial<Verdicts>>]> = [
  ['connects and is ready', checkVersions],
  ['answers 200 where nobody is subscribed', checkNoSubscriber],
  ['answers the documented example with 200, and the device gets it once', checkExample],
  ['answers 200 to a hundred at once, and each arrives once', checkHundred],
  ['takes a ttl, or says that it cannot be kept', checkTtl],
  ['delivers to a device that was away what is still to be delivered', checkAway],
  ['says truthfully what became of a publish that the access control refuses', checkRefused],
  ['lets no device hear the commands of another', checkEavesdropper],
  ['lets no device take what waits for another', checkThief],
  ['is not ready with a wrong password', checkCredentials],
  ['keeps to the Receive Maximum', checkReceiveMaximum],
  ['says truthfully what became of a command that is too large', checkTooLarge],
  ['is ready again after a restart of the broker, and brings nothing along', checkRestart]
]

const subjects: Readonly<Record<Subject, { readonly skip: string | false, start(t: Test): Promise<Broker> }>> = {
  'Mosquitto 2': { skip: skipWithoutMosquitto, start: t => startSecuredMosquitto(t, {}) },
  'Mosquitto 2, `MQTT_PROTOCOL=3.1.1`': { skip: skipWithoutMosquitto, start: t => startSecuredMosquitto(t, { MQTT_PROTOCOL: '3.1.1' }) },
  'RabbitMQ 3.10, `MQTT_PROTOCOL=3.1.1`': { skip: skipWithoutRabbitmq, start: startSecuredRabbitmq },
  embedded: { skip: false, start: startEmbedded }
}

/** RabbitMQ alone takes ten seconds to start, and does so twice. */
const TIMEOUT_MS = 300_000
t.setTimeout(TIMEOUT_MS)
t.jobs = SUBJECTS.length

const versions = new Set<string>()
const found = new Map<Subject, Partial<Verdicts>>()

await Promise.all(SUBJECTS.map(subject => t.test(subject, { skip: subjects[subject].skip, buffered: true, timeout: TIMEOUT_MS }, async t => {
  const broker = await subjects[subject].start(t)
  versions.add(broker.version)
  for (const [sentence, check] of CHECKS) {
    await t.test(sentence, async t => { found.set(subject, { ...found.get(subject), ...await check(t, broker) }) })
  }
  t.strictSame(found.get(subject), expectedOf(subject))
})))

t.test('has the table of this run in docs/brokers.md', async t => {
  // What was skipped is taken as it must be; what was tried and is missing shows as such.
  const table = formatTable(subject => found.get(subject) ?? (subjects[subject].skip === false ? {} : expectedOf(subject)))
  if (process.argv.includes('--write')) writeTable(table, [...versions])
  t.equal(readTable(), table)
})
