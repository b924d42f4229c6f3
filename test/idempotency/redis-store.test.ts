import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createRedisStore } from '../../src/idempotency/redis-store.js'
import type { Claim } from '../../src/idempotency/store.js'
import { skipWithoutRedis, startRedis } from '../helpers/redis.js'

const TTL_MS = 86_400_000

const claimOf = (record: string, nonce: string): Claim => ({ record, nonce, fingerprint: 'f', runsMs: 60_000, commands: 1 })

t.test('frees on the next connection what was claimed or refused when the last one broke', { skip: skipWithoutRedis }, async t => {
  const server = await startRedis(t)
  const client = server.connect({ isQueuing: false })
  await once(client, 'ready')
  const store = createRedisStore(client, TTL_MS)
  await store.claim(claimOf('refused', 'n1'))
  await store.claim(claimOf('answered', 'n2'))
  server.signal('SIGSTOP')
  // Until it stands still.
  await sleep(50)
  const unheard = t.rejects(store.claim(claimOf('unheard', 'n3')))
  await sleep(50)
  // The claim has left, and there is no connection for what follows it.
  client.stream.destroy()
  await unheard
  await t.rejects(store.release(claimOf('refused', 'n1')))
  await t.rejects(store.claim(claimOf('never sent', 'n4')))
  const ready = once(client, 'ready')
  server.signal('SIGCONT')
  await ready
  for (const record of ['refused', 'unheard', 'never sent']) t.strictSame(await store.claim(claimOf(record, 'n5')), { kind: 'first' }, record)
  t.strictSame(await store.claim(claimOf('answered', 'n5')), { kind: 'running' }, 'what nobody freed')
})

t.test('does not tell again on the next connection what Redis did too late to be heard', { skip: skipWithoutRedis }, async t => {
  const server = await startRedis(t)
  const redis = server.connect()
  const client = server.connect({ isQueuing: false, commandTimeout: 500 })
  await once(client, 'ready')
  const store = createRedisStore(client, TTL_MS)
  server.signal('SIGSTOP')
  await sleep(50)
  await t.rejects(store.claim(claimOf('slow', 'n1')), /no reply within 250 ms|Command timed out/)
  // The key is freed meanwhile, and that answer is too late, too.
  await sleep(700)
  server.signal('SIGCONT')
  await redis.ping()
  t.strictSame(await store.claim(claimOf('slow', 'n2')), { kind: 'first' })
  await store.release(claimOf('slow', 'n2'))
  const scripts = async () => /cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]
  const before = await scripts()
  client.stream.destroy()
  await once(client, 'ready')
  await client.ping()
  t.equal(await scripts(), before)
})
