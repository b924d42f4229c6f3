import t from 'tap'
import { assertOneAuthorization, insufficientScope, invalidToken, readBearerToken } from '../../src/auth/bearer.js'
import { ProblemError } from '../../src/errors.js'
import { thrownBy } from '../helpers/thrown-by.js'

/** Status, headers and body of an answer. */
function answerOf (error: ProblemError) {
  return { status: error.statusCode, headers: error.headers, problem: error.toProblem() }
}

/** How an Authorization header is refused. */
function refusalOf (authorization: string | undefined) {
  return answerOf(thrownBy(ProblemError, () => readBearerToken(authorization)))
}

t.test('takes the token of a Bearer header, whatever the case of its scheme and the blanks around it', async t => {
  for (const header of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER a.b.c', 'Bearer   a.b.c', '  Bearer a.b.c ']) {
    t.equal(readBearerToken(header), 'a.b.c', JSON.stringify(header))
  }
})

t.test('takes a blank for one only where HTTP does', async t => {
  for (const header of ['\xa0Bearer a.b.c', '\x0bBearer a.b.c']) t.equal(refusalOf(header).status, 401, JSON.stringify(header))
  for (const header of ['Bearer a.b.c\xa0', 'Bearer a.b.c\x0c']) t.equal(refusalOf(header).status, 400, JSON.stringify(header))
})

t.test('takes every character of a b64token (RFC 6750, section 2.1)', async t => {
  for (const token of ['AZaz09-._~+/', 'x', 'eA=', 'eA==', 'a'.repeat(8192)]) {
    t.equal(readBearerToken(`Bearer ${token}`), token)
  }
})

t.test('answers 401 without an error code when no token is sent', async t => {
  for (const header of [undefined, '', '  ', 'Basic dXNlcjpwYXNz', 'a.b.c', 'Bearera.b.c', 'Bearer,a.b.c', 'Bearer\ta.b.c', 'Token Bearer a.b.c']) {
    t.strictSame(refusalOf(header), {
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="messenger"' },
      problem: {
        title: 'Token missing',
        status: 401,
        code: 'token_missing',
        detail: 'Send an access token in the Authorization header: Bearer <token>'
      }
    }, JSON.stringify(header))
  }
})

t.test('answers 400 invalid_request when a Bearer header is malformed', async t => {
  for (const header of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a.b.c, Basic x', 'Bearer "a.b.c"', 'Bearer a=b', 'Bearer =', 'Bearer ü', 'Bearer a\tb', 'Bearer <token>']) {
    t.strictSame(refusalOf(header), {
      status: 400,
      headers: { 'www-authenticate': 'Bearer realm="messenger", error="invalid_request"' },
      problem: {
        title: 'Malformed credentials',
        status: 400,
        code: 'invalid_request',
        detail: 'The Authorization header must be: Bearer <token>'
      }
    }, JSON.stringify(header))
  }
})

t.test('says in a 401 why the token is not valid, to people and in the challenge', async t => {
  t.strictSame(answerOf(invalidToken('The access token has expired')), {
    status: 401,
    headers: {
      'www-authenticate': 'Bearer realm="messenger", error="invalid_token", error_description="The access token has expired"'
    },
    problem: { title: 'Invalid token', status: 401, code: 'invalid_token', detail: 'The access token has expired' }
  })
})

t.test('names in a 403 the scope that the token lacks', async t => {
  t.strictSame(answerOf(insufficientScope('messaging:send')), {
    status: 403,
    headers: { 'www-authenticate': 'Bearer realm="messenger", error="insufficient_scope", scope="messaging:send"' },
    problem: {
      title: 'Insufficient scope',
      status: 403,
      code: 'insufficient_scope',
      detail: 'The access token lacks the scope messaging:send'
    }
  })
})

t.test('takes a request with one Authorization header, or none', async t => {
  for (const rawHeaders of [
    [], ['Host', 'a', 'AUTHORIZATION', 'Bearer a'], ['X-Authorization', 'a', 'Authorization', 'Bearer a'],
    ['Content-Length', 'authorization', 'x-what-ever-is', 'authorization', 'authorization', 'authorization']
  ]) {
    t.doesNotThrow(() => { assertOneAuthorization(rawHeaders) }, rawHeaders.join())
  }
})

t.test('answers 400 to several Authorization headers (RFC 6750, section 2)', async t => {
  const error = thrownBy(ProblemError, () => { assertOneAuthorization(['Authorization', 'Bearer a', 'Host', 'a', 'authorization', 'Bearer a']) })
  t.strictSame(answerOf(error), {
    status: 400,
    headers: { 'www-authenticate': 'Bearer realm="messenger", error="invalid_request"' },
    problem: { title: 'Malformed credentials', status: 400, code: 'invalid_request', detail: 'Send one Authorization header' }
  })
})

t.test('reads a header of nothing but blanks as fast as any other', async t => {
  // A search that begins anew at each blank takes half a second for one of these: together longer than a test may.
  const header = `Basic${' '.repeat(15_500)}x`
  const codes = Array.from({ length: 2_000 }, () => thrownBy(ProblemError, () => { readBearerToken(header) }).code)
  t.ok(codes.every(code => code === 'token_missing'))
})
