import { median, type Bench } from './measure.js'
import { startMessenger } from './subjects.js'

/** From the start of the process to the first 200, in milliseconds: the goal. */
export const START_GOAL_MS = 2_000

/** How long the messenger took to answer 200, each time and in the middle, in milliseconds. */
export interface StartReport {
  readonly timesMs: readonly number[]
  readonly medianMs: number
}

/** Starts the messenger so many times, one after the other. */
export async function runStarts (bench: Bench, times: number): Promise<StartReport> {
  const timesMs: number[] = []
  for (let time = 1; time <= times; time++) {
    const subject = await startMessenger(bench.credentials, bench.broker)
    timesMs.push(subject.startMs)
    bench.say(`start ${time}/${times}: first 200 after ${subject.startMs.toFixed(0)} ms`)
    await subject.stop()
  }
  return { timesMs, medianMs: median(timesMs) }
}
