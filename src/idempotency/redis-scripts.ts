/**
 * What Redis does at once, without anything in between. Each record is a hash under KEYS[1]:
 * `nonce`, `fingerprint` and `deadline` (Unix milliseconds of Redis's own clock, so that the
 * clocks of several machines need not agree), and, once answered, `status`, `body`, `type` and `proxy`.
 */

/** ARGV: nonce, fingerprint, milliseconds the request may run, milliseconds to keep it. Returns the kind of the result, then the answer. */
export const CLAIM = `
local held = redis.call('HMGET', KEYS[1], 'fingerprint', 'deadline', 'status', 'body', 'type', 'proxy')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not held[1] then
  redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'fingerprint', ARGV[2], 'deadline', string.format('%.0f', now + ARGV[3]))
  redis.call('PEXPIRE', KEYS[1], ARGV[3] + ARGV[4])
  return {'first'}
end
if held[1] ~= ARGV[2] then return {'mismatch'} end
if held[3] then return {'recorded', held[3], held[4], held[5], held[6] or ''} end
if now < tonumber(held[2]) then return {'running'} end
return {'lost'}
`

/**
 * ARGV: nonce, milliseconds to keep it, status, body, type, proxy (empty: none), fingerprint.
 * A record that is gone, as Redis lost it meanwhile, is written anew: the answer is known.
 */
export const FINISH = `
local nonce = redis.call('HGET', KEYS[1], 'nonce')
if nonce and nonce ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'fingerprint', ARGV[7], 'status', ARGV[3], 'body', ARGV[4], 'type', ARGV[5], 'proxy', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`

/** ARGV: nonce. */
export const RELEASE = `
if redis.call('HGET', KEYS[1], 'nonce') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`
