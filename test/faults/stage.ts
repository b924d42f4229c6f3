import { signToken } from '../../src/tokens.js'
import { startMosquitto } from '../helpers/mosquitto.js'
import type { Scope } from '../helpers/scope.js'
import { until } from '../helpers/until.js'
import { startArrivals, startCallers, type Load } from './callers.js'
import { createClient } from './client.js'
import type { Evidence, Figures, Rules } from './evidence.js'
import { countHealthy } from './judge.js'
import { startLink } from './link.js'
import { createRecorder } from './recorder.js'
import { watchStalls } from './stalls.js'
import { startSubject, type SubjectName } from './subjects/subject.js'
import { startSubscriber } from './subscriber.js'
import { createTimeline } from './timeline.js'

/** What is played with. */
export interface StageOptions {
  readonly subject: SubjectName
  /** Publish time-out of the server, in milliseconds. */
  readonly publishTimeoutMs: number
  /** More settings of the server. */
  readonly env?: Readonly<Record<string, string>>
  /** Mosquitto's `max_inflight_messages`, which is the Receive Maximum it announces. */
  readonly brokerWindow: number
}

export type Stage = Awaited<ReturnType<typeof setStage>>

const SECRET = 'a secret of the fault suite, of more than 32 bytes'

/** Longer than any run, in seconds. */
const TOKEN_LIFE_S = 24 * 3600

/**
 * Longest wait for the server to get over a fault, in milliseconds. An attempt that
 * gets no CONNACK takes 5 s, the longest back-off 2 s, and there may be two in a row.
 */
const RECOVERY_LIMIT_MS = 30_000

/** Answers by which it is judged whether the server works while nothing is wrong; it has so long to give them, in milliseconds, as the machine may falter. */
const LEAST_HEALTHY_ANSWERS = 100
const HEALTHY_LIMIT_MS = 30_000

/** How long nothing may be published or delivered before it counts as over, in milliseconds. */
const QUIET_MS = 1_000

/** Callers -> server -> link, with recorder -> Mosquitto -> subscriber, all of it running. */
export async function setStage (scope: Scope, options: StageOptions) {
  const { publishTimeoutMs } = options
  const broker = await startMosquitto(scope, {
    // Nothing that was acknowledged is dropped for a subscriber that is slower than the callers.
    config: ['allow_anonymous true', 'max_queued_messages 0', `max_inflight_messages ${options.brokerWindow}`]
  })
  const subscriber = await startSubscriber(scope, broker.url)
  const recorder = createRecorder()
  const timeline = createTimeline(publishTimeoutMs)
  const stalls = watchStalls(scope, timeline)
  const link = await startLink(scope, { brokerPort: broker.port, recorder, timeline })
  const server = await startSubject(scope, {
    name: options.subject,
    env: {
      MQTT_URL: link.url,
      JWT_SECRET: SECRET,
      LOG_LEVEL: 'warn',
      MQTT_PUBLISH_TIMEOUT_MS: String(publishTimeoutMs),
      MQTT_QUEUE_TIMEOUT_MS: String(Math.round(publishTimeoutMs / 2)),
      ...options.env
    }
  })
  const token = await signToken({ secret: SECRET, expiresInS: TOKEN_LIFE_S, claims: { sub: 'faults' } })
  const client = createClient({ port: server.port, authorization: `Bearer ${token}` })
  scope.teardown(() => { client.close() })

  let figures: Figures | undefined

  /** Puts so many callers on the server, each with one command at a time. */
  function load (callers: number): Load {
    return ended(startCallers(client, callers))
  }

  /** Puts so many commands a second on the server, however it answers. */
  function flood (perSecond: number): Load {
    return ended(startArrivals(client, perSecond))
  }

  function ended (load: Load): Load {
    scope.teardown(load.stop)
    return load
  }

  /** Waits until the server has got over every fault. @throws where it does not */
  async function recovered (): Promise<void> {
    await until(() => timeline.isHealthy, 'a server that has recovered', RECOVERY_LIMIT_MS)
  }

  /** Waits under load until enough was answered with nothing wrong. @throws where that takes too long */
  async function healthy (): Promise<void> {
    const count = () => countHealthy({ answers: client.answers, windows: timeline.windows }).answers
    await until(() => count() >= LEAST_HEALTHY_ANSWERS, 'answers of a server with nothing wrong', HEALTHY_LIMIT_MS)
  }

  /**
   * Gives everything that might still come the time to come. The link is cut once more
   * first: what a client has kept for later, it sends after a reconnect.
   */
  async function settle (): Promise<void> {
    await recovered()
    link.sever()
    await recovered()
    const lastMs = () => Math.max(recorder.publications.at(-1)?.atMs ?? 0, subscriber.deliveries.at(-1)?.atMs ?? 0)
    await until(() => performance.now() - lastMs() > QUIET_MS, 'an end of publishes and deliveries', RECOVERY_LIMIT_MS)
    figures = await server.readFigures()
  }

  function evidence (rules: Rules, restartsMs: readonly number[] = []): Evidence {
    return {
      answers: client.answers,
      publications: recorder.publications,
      deliveries: subscriber.deliveries,
      windows: timeline.windows,
      restartsMs,
      figures,
      rules
    }
  }

  return { broker, subscriber, recorder, timeline, stalls, link, server, client, publishTimeoutMs, load, flood, recovered, healthy, settle, evidence }
}
