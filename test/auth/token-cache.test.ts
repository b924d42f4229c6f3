import t from 'tap'
import { createTokenCache, type TokenCacheOptions } from '../../src/auth/token-cache.js'
import { ProblemError } from '../../src/errors.js'
import { thrownBy } from '../helpers/thrown-by.js'

/** A cache, and the tokens that it had verified. */
function setUp (options: TokenCacheOptions = {}) {
  const verified: string[] = []
  const cache = createTokenCache(token => {
    verified.push(token)
    if (token === 'bad') throw new RangeError('a bad token')
    return { sub: token, exp: 1 }
  }, options)
  return { cache, verified }
}

t.test('verifies a token once, however the header around it is written', async t => {
  const { cache, verified } = setUp()
  for (const authorization of ['Bearer abc', 'Bearer abc', 'bearer abc', 'BEARER  abc', `bEaReR${' '.repeat(1_000)}abc`, ' Bearer abc ']) {
    t.strictSame(cache.claimsOf(authorization), { sub: 'abc', exp: 1 }, authorization)
  }
  t.strictSame(verified, ['abc'])
  t.equal(cache.size, 1)
})

t.test('keeps a token also where it first comes in an unusual header', async t => {
  const { cache, verified } = setUp()
  await cache.claimsOf('bearer   abc')
  await cache.claimsOf('Bearer abc')
  t.strictSame(verified, ['abc'])
})

t.test('keeps tokens apart', async t => {
  const { cache, verified } = setUp()
  for (const token of ['a', 'b', 'a=', 'A']) t.strictSame(cache.claimsOf(`Bearer ${token}`), { sub: token, exp: 1 })
  t.strictSame(verified, ['a', 'b', 'a=', 'A'])
})

t.test('keeps tokens apart that end alike', async t => {
  const { cache, verified } = setUp()
  const tokens = ['a', 'b', 'a', 'a'].map(first => first + 'x'.repeat(100))
  for (const token of tokens) t.strictSame(cache.claimsOf(`Bearer ${token}`), { sub: token, exp: 1 })
  t.strictSame(verified, tokens.slice(0, 3), 'one of them at a time')
})

t.test('remembers nothing of a token that is not accepted, and of a header without one', async t => {
  const { cache, verified } = setUp()
  for (let time = 0; time < 2; time += 1) t.throws(() => cache.claimsOf('Bearer bad'), { message: 'a bad token' })
  t.strictSame(verified, ['bad', 'bad'])
  t.equal(thrownBy(ProblemError, () => cache.claimsOf('')).code, 'token_missing')
  t.equal(thrownBy(ProblemError, () => cache.claimsOf('Bearer a b')).code, 'invalid_request')
  t.equal(cache.size, 0)
})

t.test('forgets the token that was longest unused where there are too many, or too many characters', async t => {
  for (const options of [{ maxTokens: 2 }, { maxCharacters: 7 }]) {
    const { cache, verified } = setUp(options)
    for (const token of ['aaa', 'bbb', 'aaa', 'ccc', 'aaa', 'bbb']) await cache.claimsOf(`Bearer ${token}`)
    t.strictSame(verified, ['aaa', 'bbb', 'ccc', 'bbb'], JSON.stringify(options))
    t.equal(cache.size, 2)
  }
})

t.test('does not remember a token that is too long', async t => {
  const { cache, verified } = setUp({ maxTokenCharacters: 3 })
  for (const token of ['abc', 'abc', 'abcd', 'abcd']) await cache.claimsOf(`Bearer ${token}`)
  t.strictSame(verified, ['abc', 'abcd', 'abcd'])
})

/** A cache over keys that are fetched, and that the test changes. */
function setUpWithKeys () {
  const state = { keys: { name: 'old' }, isTrusted: true, verified: 0 }
  const keySet = { isTrusted: () => state.isTrusted, current: () => state.keys }
  const cache = createTokenCache(async () => {
    state.verified += 1
    return { sub: state.keys.name, exp: 1 }
  }, { keySet })
  return { cache, state }
}

t.test('passes on the promise of what verifies with keys that are fetched, and then remembers', async t => {
  const { cache, state } = setUpWithKeys()
  t.ok(cache.claimsOf('Bearer abc') instanceof Promise)
  t.strictSame(await cache.claimsOf('Bearer def'), { sub: 'old', exp: 1 })
  t.strictSame(cache.claimsOf('Bearer abc'), { sub: 'old', exp: 1 })
  t.equal(state.verified, 2)
})

t.test('verifies anew while the keys have to be fetched, and goes on with what it knows where they were the same', async t => {
  const { cache, state } = setUpWithKeys()
  await cache.claimsOf('Bearer abc')
  state.isTrusted = false
  await cache.claimsOf('Bearer abc')
  t.equal(state.verified, 2)
  state.isTrusted = true
  t.strictSame(cache.claimsOf('Bearer abc'), { sub: 'old', exp: 1 })
  t.equal(state.verified, 2)
})

t.test('forgets every token once there are other keys', async t => {
  const { cache, state } = setUpWithKeys()
  for (const token of ['abc', 'def']) await cache.claimsOf(`Bearer ${token}`)
  state.keys = { name: 'new' }
  t.strictSame(await cache.claimsOf('Bearer abc'), { sub: 'new', exp: 1 })
  t.equal(cache.size, 1)
})

t.test('does not remember what was being verified when the keys changed', async t => {
  const { cache, state } = setUpWithKeys()
  const pending = cache.claimsOf('Bearer abc')
  state.keys = { name: 'new' }
  t.strictSame(await pending, { sub: 'old', exp: 1 })
  t.equal(cache.size, 0)
})
