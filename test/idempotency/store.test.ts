import t, { type Test } from 'tap'
import { createMemoryStore } from '../../src/idempotency/memory-store.js'
import { createRedisStore } from '../../src/idempotency/redis-store.js'
import type { Claim, IdempotencyStore, RecordedAnswer } from '../../src/idempotency/store.js'
import { createFakeClock } from '../helpers/fake-clock.js'
import { skipWithoutRedis, startRedis } from '../helpers/redis.js'

const TTL_MS = 86_400_000
const ANSWER: RecordedAnswer = { status: 200, body: '{"detail":"é \\"x\\""}', contentType: 'application/json', proxyStatus: 'messenger; details="d"' }
const LATER: RecordedAnswer = { status: 504, body: '{}', contentType: 'application/problem+json', proxyStatus: undefined }

/** Longer than the store waits for Redis, in milliseconds. */
const BUSY_MS = 400

const claimOf = (record: string, nonce: string, fingerprint = 'f'): Claim => ({ record, nonce, fingerprint, runsMs: 60_000, commands: 1 })

/** What holds of every store. */
function conforms (t: Test, open: (t: Test) => Promise<IdempotencyStore>) {
  t.test('lets only the first through, and tells the others that it is running', async t => {
    const store = await open(t)
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => store.claim(claimOf('r', `n${n}`))))
    t.strictSame(results.map(({ kind }) => kind), ['first', ...Array.from({ length: 49 }, () => 'running')])
  })

  t.test('gives the recorded answer to every repeat, in full', async t => {
    const store = await open(t)
    for (const [record, answer] of [['r1', ANSWER], ['r2', LATER]] as const) {
      await store.claim(claimOf(record, 'n1'))
      await store.finish(claimOf(record, 'n1'), answer)
      for (const nonce of ['n2', 'n3']) t.strictSame(await store.claim(claimOf(record, nonce)), { kind: 'recorded', answer })
    }
  })

  t.test('tells another request from a repeat, while the first runs and after it', async t => {
    const store = await open(t)
    await store.claim(claimOf('r', 'n1'))
    t.strictSame(await store.claim(claimOf('r', 'n2', 'other')), { kind: 'mismatch' })
    await store.finish(claimOf('r', 'n1'), ANSWER)
    t.strictSame(await store.claim(claimOf('r', 'n2', 'other')), { kind: 'mismatch' })
  })

  t.test('lets a repeat through after a release, and not before', async t => {
    const store = await open(t)
    await store.claim(claimOf('r', 'n1'))
    await store.release(claimOf('r', 'n1'))
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'first' })
  })

  t.test('replaces an answer with a later one of the same claim, or forgets it', async t => {
    const store = await open(t)
    await store.claim(claimOf('r', 'n1'))
    await store.finish(claimOf('r', 'n1'), LATER)
    await store.finish(claimOf('r', 'n1'), ANSWER)
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'recorded', answer: ANSWER })
    await store.release(claimOf('r', 'n1'))
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'first' })
  })

  t.test('takes nothing from a claim that does not hold the key', async t => {
    const store = await open(t)
    await store.release(claimOf('r', 'n0'))
    await store.claim(claimOf('r', 'n1'))
    await store.finish(claimOf('r', 'n2'), ANSWER)
    await store.release(claimOf('r', 'n2'))
    t.strictSame(await store.claim(claimOf('r', 'n3')), { kind: 'running' })
    await store.finish(claimOf('r', 'n1'), ANSWER)
    await store.finish(claimOf('r', 'n2'), LATER)
    await store.release(claimOf('r', 'n2'))
    t.strictSame(await store.claim(claimOf('r', 'n3')), { kind: 'recorded', answer: ANSWER })
  })
}

t.test('in memory', async t => {
  const openMemory = (maxRecords = 100) => {
    const { clock, advance } = createFakeClock()
    return { store: createMemoryStore({ ttlMs: TTL_MS, maxRecords, clock }), advance }
  }
  conforms(t, async () => openMemory().store)

  t.test('keeps an answer for its time, counted from the answer, and not longer', async t => {
    const { store, advance } = openMemory()
    await store.claim(claimOf('r', 'n1'))
    advance(5000)
    await store.finish(claimOf('r', 'n1'), ANSWER)
    advance(TTL_MS - 1)
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'recorded', answer: ANSWER })
    advance(1)
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'first' })
  })

  t.test('counts a long answer by its KiB, and no more of it once it has expired', async t => {
    const { store, advance } = openMemory(4)
    await store.claim(claimOf('r1', 'n'))
    await store.finish(claimOf('r1', 'n'), { ...ANSWER, body: 'x'.repeat(2_049) })
    await store.claim(claimOf('r2', 'n'))
    t.strictSame(await store.claim(claimOf('r3', 'n')), { kind: 'full', retryAfterMs: TTL_MS })
    await store.finish(claimOf('r1', 'n'), ANSWER)
    t.strictSame(await store.claim(claimOf('r3', 'n')), { kind: 'first' }, 'it was amended by a shorter one')
    await store.finish(claimOf('r3', 'n'), { ...ANSWER, body: 'x'.repeat(2_048) })
    t.strictSame((await store.claim(claimOf('r4', 'n'))).kind, 'full')
    advance(TTL_MS)
    for (const record of ['r4', 'r5', 'r6']) t.strictSame(await store.claim(claimOf(record, 'n')), { kind: 'first' })
    t.strictSame((await store.claim(claimOf('r7', 'n'))).kind, 'full', 'r2 is still running')
  })

  t.test('drops no record for another: full, it says when the oldest expires, and has room again then', async t => {
    const { store, advance } = openMemory(2)
    await store.claim(claimOf('r1', 'n'))
    await store.claim(claimOf('r2', 'n'))
    t.strictSame(await store.claim(claimOf('r3', 'n')), { kind: 'full', retryAfterMs: 0 }, 'both are running')
    await store.finish(claimOf('r1', 'n'), ANSWER)
    advance(1000)
    await store.finish(claimOf('r2', 'n'), ANSWER)
    t.strictSame(await store.claim(claimOf('r3', 'n')), { kind: 'full', retryAfterMs: TTL_MS - 1000 })
    t.strictSame(await store.claim(claimOf('r1', 'n2')), { kind: 'recorded', answer: ANSWER }, 'what is there is found')
    advance(TTL_MS - 1000)
    t.strictSame(await store.claim(claimOf('r3', 'n')), { kind: 'first' })
    t.strictSame(await store.claim(claimOf('r2', 'n2')), { kind: 'recorded', answer: ANSWER })
    t.strictSame((await store.claim(claimOf('r4', 'n'))).kind, 'full')
  })

  t.test('counts a key of many commands as many', async t => {
    const { store, advance } = openMemory(5)
    const bulk = { ...claimOf('bulk', 'n'), commands: 3 }
    await store.claim(bulk)
    t.strictSame((await store.claim({ ...claimOf('other bulk', 'n'), commands: 3 })).kind, 'full')
    await store.claim(claimOf('r1', 'n'))
    await store.claim(claimOf('r2', 'n'))
    t.strictSame((await store.claim(claimOf('r3', 'n'))).kind, 'full')
    await store.finish(bulk, ANSWER)
    await store.finish(bulk, { ...ANSWER, status: 504 })
    t.strictSame((await store.claim(claimOf('r3', 'n'))).kind, 'full', 'an answer recorded anew takes no more')
    await store.release(claimOf('r1', 'n'))
    t.strictSame(await store.claim(claimOf('r3', 'n')), { kind: 'first' })
    advance(TTL_MS)
    t.strictSame(await store.claim({ ...claimOf('other bulk', 'n'), commands: 3 }), { kind: 'first' })
  })
})

t.test('in Redis', { skip: skipWithoutRedis }, async t => {
  const server = await startRedis(t)
  const redis = server.connect()
  const store = createRedisStore(redis, TTL_MS)
  conforms(t, async () => {
    await redis.flushall()
    return store
  })

  t.test('keeps a claim for its time and the answer\'s, then an answer for its own', async t => {
    await redis.flushall()
    await store.claim(claimOf('r', 'n1'))
    const [key = ''] = await redis.keys('*')
    t.equal(key, 'messenger:idempotency:r')
    const leftMs = await redis.pttl(key)
    t.ok(leftMs > TTL_MS + 50_000 && leftMs <= TTL_MS + 60_000, `${leftMs} ms`)
    await store.finish(claimOf('r', 'n1'), ANSWER)
    const answerLeftMs = await redis.pttl(key)
    t.ok(answerLeftMs > TTL_MS - 10_000 && answerLeftMs <= TTL_MS, `${answerLeftMs} ms`)
  })

  t.test('writes the answer of a claim that Redis has lost meanwhile', async t => {
    await store.claim(claimOf('r', 'n1'))
    await redis.flushall()
    await store.finish(claimOf('r', 'n1'), ANSWER)
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'recorded', answer: ANSWER })
    t.strictSame(await store.claim(claimOf('r', 'n2', 'other')), { kind: 'mismatch' })
    t.ok(await redis.pttl('messenger:idempotency:r') > 0, 'for its time')
  })

  t.test('gives up a claim at its deadline, and never lets another take it over', async t => {
    await redis.flushall()
    await store.claim({ ...claimOf('r', 'n1'), runsMs: 0 })
    t.strictSame(await store.claim(claimOf('r', 'n2')), { kind: 'lost' })
    t.strictSame(await store.claim(claimOf('r', 'n2', 'other')), { kind: 'mismatch' })
    await store.finish(claimOf('r', 'n1'), ANSWER)
    t.strictSame(await store.claim(claimOf('r', 'n3')), { kind: 'recorded', answer: ANSWER }, 'the first was only late')
  })

  t.test('takes a reply for in time that came while this process was busy', async t => {
    await redis.flushall()
    const claim = store.claim(claimOf('r', 'n1'))
    setImmediate(() => {
      const endMs = performance.now() + BUSY_MS
      while (performance.now() < endMs);
    })
    t.strictSame(await claim, { kind: 'first' })
  })

  t.test('rejects where the record is none of ours', async t => {
    await redis.flushall()
    await redis.set('messenger:idempotency:r', 'not a hash')
    await t.rejects(store.claim(claimOf('r', 'n1')), /WRONGTYPE/)
  })

  t.test('frees the key where the claim was done but not heard of', async t => {
    await redis.flushall()
    server.signal('SIGSTOP')
    await t.rejects(store.claim(claimOf('r', 'n1')), /no reply within 250 ms/)
    server.signal('SIGCONT')
    await redis.ping()
    t.strictSame(await redis.keys('*'), [])
  })
})
