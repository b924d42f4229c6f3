import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import { ProblemError } from '../errors.js'
import { invalidToken } from './bearer.js'
import { PUBLIC_KEY_ALGORITHMS } from './keys.js'
import type { KeyName, PublishedKeys } from './published-keys.js'

/** The header of a token, of which nothing is verified yet. */
export interface TokenHeader {
  readonly alg?: unknown
  readonly kid?: unknown
}

/** How long keys serve, and how often the issuer is asked. All in milliseconds. */
const CACHE_MS = 600_000
const REFRESH_MS = 540_000
const COOLDOWN_MS = 30_000
const GRACE_MS = 3_600_000

export interface KeySetOptions {
  /** Fetches the keys; rejects where they cannot be had. */
  readonly load: () => Promise<PublishedKeys>
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}

export type KeySet = ReturnType<typeof createKeySet>

/** A set that was replaced before its time was over. */
interface ReplacedKeys {
  readonly keys: PublishedKeys
  /** Milliseconds of the clock. */
  readonly untilMs: number
}

/**
 * The keys of an issuer that are trusted now. They serve for 10 minutes, and none passes a token
 * after that unless a later look found it: a key that was removed is refused from there on. That
 * look is at 9 minutes, in the background, so that no token waits for an issuer that hangs; an
 * idle server looks as well. Where a token with an unknown key has them fetched sooner, they
 * serve their time none the less: a rotation to a key with another `kid` refuses no caller that still
 * has a token of before. Without a `kid`, or with one that is used again, a new key is found at the next look only.
 * Only where the fetch fails do the last good ones go on, for 1 hour. However many tokens name
 * unknown keys, the issuer is asked at most once in 30 seconds.
 */
export function createKeySet ({ load, clock, log }: KeySetOptions) {
  let keys: PublishedKeys | undefined
  // The newest first. As each has its 10 minutes, and 30 seconds before the next, they are few.
  let replaced: readonly ReplacedKeys[] = []
  let generation = {}
  let fetchedAtMs = 0
  let trustedUntilMs = 0
  let nextFetchAtMs = -Infinity
  let pending: Promise<void> | undefined
  let hasFailed = false
  // Before a token needs them, so that a wrong address shows in the log.
  let cancelFetch = clock.after(0, refresh)
  let isClosed = false

  /** Whether there are keys, and they need not be fetched anew. */
  function isTrusted (): boolean {
    return keys !== undefined && clock.nowMs() < trustedUntilMs
  }

  /** Fetches the keys, unless that was done just now. Never rejects. */
  async function refresh (): Promise<void> {
    if (pending === undefined && clock.nowMs() >= nextFetchAtMs) {
      pending = fetchKeys().finally(() => { pending = undefined })
    }
    await pending
  }

  async function fetchKeys (): Promise<void> {
    cancelFetch()
    // Counted from here: when the issuer removed a key cannot be later than its answer.
    const startedAtMs = clock.nowMs()
    nextFetchAtMs = startedAtMs + COOLDOWN_MS
    try {
      const fetched = await load()
      const isOther = fetched.text !== keys?.text
      if (isOther || hasFailed) log.info('fetched the keys of the issuer')
      if (isOther) replace(fetched)
      fetchedAtMs = startedAtMs
      trustedUntilMs = startedAtMs + CACHE_MS
      hasFailed = false
    } catch (error) {
      // One line when the state changes, none for each attempt.
      if (!hasFailed) log.warn({ reason: reasonOf(error) }, 'cannot fetch the keys of the issuer; trying again until it answers')
      hasFailed = true
      trustedUntilMs = fetchedAtMs + CACHE_MS + GRACE_MS
    }
    if (!isClosed) refreshAfter(hasFailed ? COOLDOWN_MS : startedAtMs + REFRESH_MS - clock.nowMs())
  }

  /** Fetches the keys in the background: not by the next request, which would wait for an issuer that may hang. */
  function refreshAfter (delayMs: number): void {
    cancelFetch = clock.after(delayMs, async () => {
      // Timers of Node.js count in whole milliseconds, and may be a part of one too early for the pause.
      const leftMs = nextFetchAtMs - clock.nowMs()
      if (leftMs > 0) refreshAfter(leftMs)
      else await refresh()
    })
  }

  /** Takes other keys into use. Those of before have what is left of their 10 minutes, and nothing of a grace. */
  function replace (fetched: PublishedKeys): void {
    if (keys !== undefined) replaced = [{ keys, untilMs: fetchedAtMs + CACHE_MS }, ...replaced]
    keys = fetched
    generation = {}
  }

  /** An object that is the same as long as no key has come or gone: what was verified before that is void. */
  function current (): object {
    if (replaced.length > 0) {
      const nowMs = clock.nowMs()
      const left = replaced.filter(({ untilMs }) => nowMs < untilMs)
      if (left.length < replaced.length) {
        replaced = left
        generation = {}
      }
    }
    return generation
  }

  async function lookUp (name: KeyName): Promise<string | undefined> {
    current()
    for (const set of [keys, ...replaced.map(old => old.keys)]) {
      const key = await set?.find(name)
      if (key !== undefined) return key
    }
    return undefined
  }

  /** A 503 that says when the issuer is asked again. */
  function unavailable (): ProblemError {
    const waitS = Math.ceil((nextFetchAtMs - clock.nowMs()) / 1000)
    return new ProblemError('key_source_unavailable', { headers: { 'retry-after': String(Math.max(1, waitS)) } })
  }

  /**
   * The key that a token says it is signed with, as PEM.
   * @throws {ProblemError} `invalid_token` (401) where the issuer has no such key,
   *   `key_source_unavailable` (503) where that cannot be found out
   */
  async function find (header: TokenHeader): Promise<string> {
    const name = readName(header)
    if (!isTrusted()) await refresh()
    if (!isTrusted()) throw unavailable()
    const key = await lookUp(name)
    if (key !== undefined) return key
    await refresh()
    const newKey = await lookUp(name)
    if (newKey !== undefined) return newKey
    throw hasFailed ? unavailable() : invalidToken('The access token is signed with a key that its issuer does not publish')
  }

  return {
    isTrusted,
    current,
    find,
    /** Asks no more. */
    close (): void {
      isClosed = true
      cancelFetch()
    }
  }
}

/**
 * What a header says of its key. No issuer has to be asked about what no key can be for.
 * @throws {ProblemError} `invalid_token` (401)
 */
function readName ({ alg, kid }: TokenHeader): KeyName {
  const accepted = PUBLIC_KEY_ALGORITHMS.find(algorithm => algorithm === alg)
  if (accepted === undefined) throw invalidToken('The access token is signed with an algorithm that is not accepted')
  if (kid === undefined) return { alg: accepted }
  if (typeof kid !== 'string') throw invalidToken('The kid of the access token is not a string')
  return { alg: accepted, kid }
}

/** An error and all that caused it: that of `fetch` says only that it failed. */
function reasonOf (error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? `${String(error)}: ${reasonOf(error.cause)}` : String(error)
}
