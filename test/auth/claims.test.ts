import t from 'tap'
import { hasScope, type Claims } from '../../src/auth/claims.js'

/** Claims with these grants. */
function claims (grants: Pick<Claims, 'scope' | 'scp'>): Claims {
  return { sub: 'tester', exp: 4_102_444_800, ...grants }
}

t.test('finds a scope among those of scope, which blanks separate', async t => {
  t.equal(hasScope(claims({ scope: 'send' }), 'send'), true)
  t.equal(hasScope(claims({ scope: 'read send' }), 'send'), true)
  t.equal(hasScope(claims({ scope: 'read  send ' }), 'send'), true)
})

t.test('finds a scope in scp, be it a text or a list', async t => {
  t.equal(hasScope(claims({ scp: 'read send' }), 'send'), true)
  t.equal(hasScope(claims({ scp: ['read', 'send'] }), 'send'), true)
})

t.test('finds a scope in either claim when a token has both', async t => {
  t.equal(hasScope(claims({ scope: 'read', scp: ['send'] }), 'send'), true)
  t.equal(hasScope(claims({ scope: 'send', scp: ['read'] }), 'send'), true)
  t.equal(hasScope(claims({ scope: 'read', scp: ['write'] }), 'send'), false)
})

t.test('finds a scope in scope also where an issuer writes it as a list', async t => {
  t.equal(hasScope(claims({ scope: ['read', 'send'] }), 'send'), true)
})

t.test('does not take a part of a scope, another case or another separator for the scope', async t => {
  for (const scope of ['sender', 'resend', 'send:all', 'SEND', 'read,send', 'read\tsend', '']) {
    t.equal(hasScope(claims({ scope }), 'send'), false, JSON.stringify(scope))
  }
  t.equal(hasScope(claims({ scp: ['read send'] }), 'send'), false, 'an item of a list is one scope')
})

t.test('finds no scope in a token without one, or in claims of another type', async t => {
  t.equal(hasScope(claims({}), 'send'), false)
  for (const granted of [null, 1, true, { send: true }, { includes: 'send' }, [], [['send']]]) {
    t.equal(hasScope(claims({ scope: granted, scp: granted }), 'send'), false, JSON.stringify(granted))
  }
})
