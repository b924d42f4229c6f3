import type { Test } from 'tap'
import { systemClock } from '../../src/clock.js'
import { DEFAULT_REPLY } from '../../src/cli/device/answer.js'
import { startFleet, type FleetOptions } from '../../src/cli/device/fleet.js'
import { commandTopic } from './caller.js'
import { until } from './until.js'

export type DeviceChanges = Partial<Omit<FleetOptions, 'link'>> & { readonly link?: Partial<FleetOptions['link']> }

/** Simulated devices, stopped with the test, and what is told of them. */
export function startDevices (t: Test, url: string, { link, ...options }: DeviceChanges = {}) {
  const faults: string[] = []
  const commands: string[] = []
  const dropped: string[] = []
  let timesAllReady = 0
  const fleet = startFleet({
    imeis: ['gate'],
    topicOf: commandTopic,
    reply: DEFAULT_REPLY,
    replyRate: 1,
    replyDelayMs: [0, 0],
    offline: undefined,
    clock: systemClock,
    link: { url, protocolVersion: '5', isPersistent: false, ...link },
    ...options
  }, {
    onAllReady () { timesAllReady += 1 },
    onCommand (topic, payload) { commands.push(`${topic} ${payload}`) },
    onDropped (why, _topic, payload) { dropped.push(`${why} ${payload}`) },
    onFault (message) { faults.push(message) }
  })
  t.teardown(() => fleet.stop())
  return {
    ...fleet,
    faults,
    commands,
    dropped,
    allReady: (times = 1) => until(() => timesAllReady >= times, () => `all devices, for the ${times}. time; ${fleet.tally.ready} are ready; ${faults.join()}`, 20_000)
  }
}
