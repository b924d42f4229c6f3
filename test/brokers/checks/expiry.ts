import type { IClientOptions } from 'mqtt'
import type { Test } from 'tap'
import { IMEI, TOPIC } from '../../helpers/app.js'
import { subscribe } from '../../helpers/subscriber.js'
import { until } from '../../helpers/until.js'
import { asSession, resume, startConnectedServer } from '../session.js'
import type { Broker } from '../subjects/broker.js'

/** Mosquitto counts whole seconds: what has one may be delivered until just before the end of a second one. */
const OVER_MS = 2100

/** A device that is away while two commands are sent: one for a second, one for a minute. */
export async function checkAway (t: Test, broker: Broker) {
  // Most modems speak MQTT 3.1.1, whatever the messenger and the broker speak: expiry is the broker's to keep.
  const old = { ...broker.device, protocolVersion: 4 as const }
  const leave = async (device: IClientOptions, clientId: string) => {
    const session = asSession(device, clientId)
    const { client } = await subscribe(t, broker.url, TOPIC, session)
    await client.endAsync()
    return () => resume(t, broker.url, session)
  }
  const [comeBack, comeBackOld] = [await leave(broker.device, `${IMEI}-away`), await leave(old, `${IMEI}-old`)]
  const short = await startConnectedServer(t, broker, { COMMAND_TTL_S: '1' })
  const long = await startConnectedServer(t, broker, { COMMAND_TTL_S: '60' })
  t.equal((await short.send({ imei: IMEI, micro_op: 'for_a_second' })).status, 200)
  const sentMs = performance.now()
  t.equal((await long.send({ imei: IMEI, micro_op: 'for_a_minute' })).status, 200)
  const [isDroppedByPolicy] = await Promise.all([checkPolicy(t, broker), over()])

  const device = await comeBack()
  // In the order in which they were sent, so that nothing comes before the last any more.
  const payloads = await device.payloadsUntil('for_a_minute')
  const isLate = payloads.includes('for_a_second')
  t.strictSame(payloads, [...isLate ? ['for_a_second'] : [], 'for_a_minute'])
  const left = device.received.at(-1)?.properties?.messageExpiryInterval
  // Whoever counts whole seconds may have seen one more begin than have passed.
  const mostS = Math.floor((performance.now() - sentMs) / 1000) + 1
  if (left !== undefined) t.ok(left >= 60 - mostS && left <= 58, `${left} s of 60 are left`)
  t.strictSame(await (await comeBackOld()).payloadsUntil('for_a_minute'), payloads)
  return {
    backInTime: left === undefined ? 'yes' : 'yes, with the interval that is left',
    backTooLate: isLate ? `yes${isDroppedByPolicy ? '; not under the policy' : ''}` : 'no'
  }
}

/** The same where the broker has a policy of its own, and the commands have none. */
async function checkPolicy (t: Test, { url, policy }: Broker): Promise<boolean> {
  if (policy === undefined) return false
  const session = asSession(policy.device, `${IMEI}-policy`)
  const before = await subscribe(t, url, TOPIC, session)
  await before.client.endAsync()
  const server = await startConnectedServer(t, { url, env: policy.env })
  t.equal((await server.send({ imei: IMEI, micro_op: 'waits' })).status, 200)
  await over()
  const device = await resume(t, url, session)
  t.equal((await server.send({ imei: IMEI, micro_op: 'last' })).status, 200)
  t.strictSame(await device.payloadsUntil('last'), ['last'])
  return true
}

async function over (): Promise<void> {
  const startMs = performance.now()
  await until(() => performance.now() - startMs > OVER_MS, 'the end of the interval')
}
