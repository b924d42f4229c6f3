import cluster, { type Worker } from 'node:cluster'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import { createBackOff } from './back-off.js'
import type { Order, Report } from './messages.js'
import type { SharedMetrics } from './shared-metrics.js'

/** No worker came up. The message is for the person who started the program. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError'
}

/** How a worker ended. */
interface End {
  readonly code: number | null
  readonly signal: string | null
  readonly livedMs: number
  /** Why it never came to be. */
  readonly reason?: string
}

/** After the exit of a worker, its last figures get this long to arrive, in milliseconds. */
const LAST_FIGURES_MS = 500

export interface WorkersOptions {
  /** How many to keep. */
  readonly count: number
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** Variables that each of them is started with, beside those of this process, so that they all have one configuration. */
  readonly settings: NodeJS.ProcessEnv
  /** Undefined: nobody scrapes. */
  readonly metrics: SharedMetrics | undefined
}

/**
 * Starts the workers, each of which runs this program again, and replaces those that end.
 * @returns when the first one serves
 * @throws {WorkerStartError} where one ends before any has served; all of them are over then
 */
export async function startWorkers ({ count, clock, log, settings, metrics }: WorkersOptions) {
  const backOff = createBackOff()
  const running = new Set<Worker>()
  /** Those whose figures are counted, or may still come. */
  const known = new Set<Worker>()
  const replacements = new Set<() => void>()
  let first: { readonly serves: () => void, readonly fails: (error: Error) => void } | undefined
  let hasServed = false
  let isStopping = false
  let whenAllEnded: (() => void) | undefined
  let lost = 0

  // Each connection goes to the next worker in turn. Where workers took them from one socket by
  // themselves, whoever wakes first would take a burst of them, and keep it for as long as they live.
  cluster.schedulingPolicy = cluster.SCHED_RR
  // JSON would make NaN and infinity of a metric null.
  cluster.setupPrimary({ serialization: 'advanced' })
  // One that is busy would not notice the end of this process, and keep the port.
  process.once('exit', () => {
    for (const worker of running) worker.process.kill('SIGKILL')
  })

  function start (): void {
    try {
      fork()
    } catch (error) {
      // As where the system has no memory for a process.
      replace({ code: null, signal: null, livedMs: 0, reason: String(error) })
    }
  }

  function fork (): void {
    const worker = cluster.fork(settings)
    const startedMs = clock.nowMs()
    running.add(worker)
    known.add(worker)
    worker.on('message', (report: Report) => { hear(worker, report) })
    worker.on('error', error => {
      // A message to a process that is just ending.
      log.debug({ worker: worker.id, reason: String(error) }, 'a worker cannot be told')
      // What was never started, as where the system allows no more processes, does not exit either.
      if (worker.process.pid === undefined) {
        forget(worker)
        end(worker, { code: null, signal: null, livedMs: 0, reason: String(error) })
      }
    })
    // Not its exit: its last figures may come after that. Of one that was killed while a connection was on its way to it, only the exit may be told.
    worker.once('disconnect', () => { forget(worker) })
    worker.once('exit', (code, signal) => {
      clock.after(LAST_FIGURES_MS, () => { forget(worker) })
      end(worker, { code, signal, livedMs: clock.nowMs() - startedMs })
    })
  }

  function forget (worker: Worker): void {
    if (!known.delete(worker)) return
    metrics?.remove(worker.id, !isStopping)
  }

  function hear (worker: Worker, report: Report): void {
    switch (report.kind) {
      case 'started':
        hasServed = true
        metrics?.add(worker.id, scrape => { order(worker, { kind: 'scrape', scrape }) })
        if (isStopping) order(worker, { kind: 'stop' })
        first?.serves()
        break
      case 'failed':
        first?.fails(new WorkerStartError(report.text))
        if (hasServed) log.error({ worker: worker.id, reason: report.text }, 'a worker cannot start')
        break
      case 'metrics':
        metrics?.take(worker.id, report.scrape, report.snapshot)
    }
  }

  function end (worker: Worker, how: End): void {
    running.delete(worker)
    replace(how, worker.id)
    if (running.size === 0) whenAllEnded?.()
  }

  /** Has another worker take the place of one that ended, or that could not be started: then it has no number. */
  function replace ({ code, signal, livedMs, reason }: End, worker?: number): void {
    if (isStopping || !hasServed) {
      if (code !== 0) lost++
      first?.fails(new WorkerStartError(`A worker ended before it served: ${reason ?? signal ?? `exit code ${code}`}`))
    } else {
      const afterMs = backOff(livedMs)
      log.error({ worker, code, signal, reason, afterMs }, 'a worker ended; another takes its place')
      const cancel = clock.after(afterMs, () => {
        replacements.delete(cancel)
        start()
      })
      replacements.add(cancel)
    }
  }

  function order (worker: Worker, order: Order): void {
    if (worker.isConnected()) worker.send(order)
  }

  /** Has no worker replaced any more, and waits for the end of all. */
  async function endAll (each: (worker: Worker) => void): Promise<void> {
    isStopping = true
    for (const cancel of replacements) cancel()
    for (const worker of running) each(worker)
    if (running.size > 0) await new Promise<void>(resolve => { whenAllEnded = resolve })
  }

  try {
    await new Promise<void>((resolve, reject) => {
      first = { serves: resolve, fails: reject }
      for (let n = 0; n < count; n++) start()
    })
  } catch (error) {
    await endAll(worker => { worker.process.kill('SIGKILL') })
    throw error
  }
  log.info({ workers: count }, 'the first of the workers serves')

  return {
    /** Has each worker answer what it accepted, and waits for their end. @throws where one was killed meanwhile */
    async stop (): Promise<void> {
      lost = 0
      await endAll(worker => { order(worker, { kind: 'stop' }) })
      if (lost > 0) throw new Error(`${lost} of the workers did not end by themselves: their last requests may be without an answer`)
    }
  }
}
