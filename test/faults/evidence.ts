import type { Answer } from './client.js'
import type { Publication } from './recorder.js'
import type { Delivery } from './subscriber.js'
import type { FaultWindow } from './timeline.js'

/** Everything that was seen in a run. */
export interface Evidence {
  /** What the callers were told. */
  readonly answers: readonly Answer[]
  /** What went to the broker, and what the broker said to it. */
  readonly publications: readonly Publication[]
  /** What the devices got. */
  readonly deliveries: readonly Delivery[]
  /** When the server had an excuse. */
  readonly windows: readonly FaultWindow[]
  /** When the server was started again after it had been killed, in monotonic milliseconds. */
  readonly restartsMs: readonly number[]
  /** What the server itself has counted; undefined where it counts nothing, or lost its counts when it was killed. */
  readonly figures: Figures | undefined
  readonly rules: Rules
}

/** Commands by outcome, as the server's metrics have them. */
export interface Figures {
  readonly accepted: number
  readonly notSent: number
  readonly unknown: number
}

/** What may be asked of a run. */
export interface Rules {
  /** Least share of 200 among the answers that were given while the link was healthy; undefined where more than that is refused on purpose. */
  readonly leastHealthyShare: number | undefined
  /** Whether the broker lived to deliver everything that it acknowledged. */
  readonly brokerLives: boolean
}

/** One command: what its caller was told, and what became of it. */
export interface Case {
  readonly answer: Answer
  readonly publications: readonly Publication[]
  readonly deliveries: readonly Delivery[]
}

/** The topic of the device that a command was for. */
export function topicOf ({ imei }: Pick<Answer, 'imei'>): string {
  return `devices/${imei}/commands`
}

/** Brings together what belongs to one command, and names what belongs to none. */
export function joinEvidence ({ answers, publications, deliveries }: Evidence): { cases: Case[], strays: Delivery[] } {
  const publicationsOf = groupByRequest(publications)
  const deliveriesOf = groupByRequest(deliveries)
  const topics = new Map(answers.map(answer => [answer.requestId, topicOf(answer)]))
  return {
    cases: answers.map(answer => ({
      answer,
      publications: publicationsOf.get(answer.requestId) ?? [],
      deliveries: deliveriesOf.get(answer.requestId) ?? []
    })),
    strays: [...publications, ...deliveries].filter(({ requestId, topic }) => topics.get(requestId) !== topic)
  }
}

function groupByRequest<T extends Delivery> (items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(item.requestId)
    if (group === undefined) groups.set(item.requestId, [item])
    else group.push(item)
  }
  return groups
}
