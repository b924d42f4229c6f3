import t from 'tap'
import { createMemoryStore } from '../../src/idempotency/memory-store.js'
import { shareClaims } from '../../src/idempotency/share-claims.js'
import type { Claim, IdempotencyStore, RecordedAnswer } from '../../src/idempotency/store.js'
import { systemClock } from '../../src/clock.js'

const ANSWER: RecordedAnswer = { status: 200, body: '{}', contentType: 'application/json' }
const claimOf = (nonce: string, fingerprint = 'f'): Claim => ({ record: 'r', nonce, fingerprint, runsMs: 1000, commands: 1 })

/** A real store, the claims that reach it, and the same store shared. */
function setUp () {
  const memory = createMemoryStore({ ttlMs: 60_000, maxRecords: 10, clock: systemClock })
  const claimed: string[] = []
  let fails = false
  const store: IdempotencyStore = {
    ...memory,
    async claim (claim) {
      claimed.push(claim.nonce)
      await new Promise(resolve => { setImmediate(resolve) })
      if (fails) throw new Error('the store does not answer')
      return await memory.claim(claim)
    }
  }
  return { shared: shareClaims(store), other: store, claimed, fail (yes: boolean) { fails = yes } }
}

const kinds = async (results: ReadonlyArray<ReturnType<IdempotencyStore['claim']>>) => (await Promise.all(results)).map(({ kind }) => kind)

t.test('makes one claim for all that ask for the same at once, of which the first goes on', async t => {
  const { shared, claimed } = setUp()
  t.strictSame(await kinds([shared.claim(claimOf('a')), shared.claim(claimOf('b')), shared.claim(claimOf('c'))]), ['first', 'running', 'running'])
  t.strictSame(await kinds([shared.claim(claimOf('d'))]), ['running'], 'also later, until it is answered')
  t.strictSame(claimed, ['a'])
  await shared.finish(claimOf('a'), ANSWER)
  t.strictSame(await kinds([shared.claim(claimOf('e')), shared.claim(claimOf('f'))]), ['recorded', 'recorded'])
  t.strictSame(claimed, ['a', 'e'])
})

t.test('lets the next one through after a release', async t => {
  const { shared } = setUp()
  t.strictSame(await kinds([shared.claim(claimOf('a'))]), ['first'])
  await shared.release(claimOf('a'))
  t.strictSame(await kinds([shared.claim(claimOf('b'))]), ['first'])
})

t.test('asks the store where something else is asked for', async t => {
  const { shared, other, claimed } = setUp()
  await other.claim(claimOf('elsewhere', 'right'))
  t.strictSame(await kinds([shared.claim(claimOf('a', 'wrong')), shared.claim(claimOf('b', 'right'))]), ['mismatch', 'running'])
  t.strictSame(claimed, ['elsewhere', 'a', 'b'])
})

t.test('lets nobody through where the store does not answer, and asks again the next time', async t => {
  const { shared, fail } = setUp()
  fail(true)
  const results = await Promise.allSettled([shared.claim(claimOf('a')), shared.claim(claimOf('b'))])
  t.strictSame(results.map(({ status }) => status), ['rejected', 'rejected'])
  fail(false)
  t.strictSame(await kinds([shared.claim(claimOf('c'))]), ['first'])
})

t.test('keeps the key of a claim that another asks to let go of', async t => {
  const { shared, claimed } = setUp()
  await shared.claim(claimOf('a'))
  await shared.release(claimOf('b'))
  t.strictSame(await kinds([shared.claim(claimOf('c'))]), ['running'])
  t.strictSame(claimed, ['a'])
})
