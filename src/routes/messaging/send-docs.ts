import { Type } from '@sinclair/typebox'
import { RepliedResult, SendResult } from '../../schemas/messaging.js'
import { HEADERS, jsonResponse, problemResponse } from '../../schemas/responses.js'

const { 'Idempotency-Replayed': IDEMPOTENCY_REPLAYED, 'Preference-Applied': PREFERENCE_APPLIED, 'Proxy-Status': PROXY_STATUS, 'Retry-After': RETRY_AFTER, 'WWW-Authenticate': WWW_AUTHENTICATE } = HEADERS

const RATE_LIMIT = { 'RateLimit-Limit': HEADERS['RateLimit-Limit'], 'RateLimit-Remaining': HEADERS['RateLimit-Remaining'], 'RateLimit-Reset': HEADERS['RateLimit-Reset'] }

/** What the OpenAPI document says of `POST /messaging/send`, beside its body; also serializes the answers. */
export const sendDocs = {
  operationId: 'sendCommand',
  tags: ['messaging'],
  summary: 'Send one command to one device',
  description: [
    'Publishes `micro_op` to the MQTT topic of the device and answers what became of it:',
    '',
    '- **200**: the broker acknowledged it. It is the broker\'s now; that the device has executed it is not said.',
    '- **406**: it can never reach the device. Repeating it is safe.',
    '- **504**: unknown. It was sent, and no acknowledgement came: it may or may not reach the device until its `ttl` is over.',
    '',
    'With `Prefer: wait=10` the answer of the device is waited for, for at most 10 seconds from receipt. A **200** then has it in `reply`; ' +
      '**404** `no_subscriber`: the broker says that nobody is subscribed; **504** `reply_timeout`: the broker acknowledged the command, and ' +
      'the device did not answer in time.',
    '',
    'After any other status nothing was published.',
    '',
    'A token with `authorization_details` (RFC 9396) may send only what one of its entries covers, e.g. ' +
      '`{"type":"messaging","identifier":"26372637216372637126376237","actions":["push_down"]}`: without `identifier` every device, ' +
      'without `actions` every operation; with any other member, nothing. The server may also ask for a scope, for ' +
      '`authorization_details`, or for claims that stand in the topic; the 403 says what the token lacks.'
  ].join('\n'),
  headers: Type.Object({
    'idempotency-key': Type.Optional(Type.String({
      description: 'Makes a retry safe: of all requests with one key, one publishes, and the others get its answer. ' +
        '1-255 visible ASCII characters, bare or in quotes',
      examples: ['gate-7-2026-11-23T16:40']
    })),
    prefer: Type.Optional(Type.String({
      description: 'How many seconds to wait for the answer of the device (RFC 7240): 1-60, more is applied as 60. Without a `ttl` in the body it is the ' +
        '`ttl` too. What cannot be honoured is ignored; `Preference-Applied` says what was',
      examples: ['wait=10']
    })),
    'x-request-id': Type.Optional(Type.String({
      description: 'Names this HTTP exchange: 1-128 of `0-9 A-Z a-z _ . -`; anything else is replaced',
      examples: ['gate-7-open-1']
    })),
    traceparent: Type.Optional(Type.String({
      description: 'W3C Trace Context, passed on to the device as an MQTT 5 user property',
      examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01']
    }))
  }),
  response: {
    200: jsonResponse('Accepted: the broker acknowledged the publish, or the device answered', RepliedResult, {
      detail: 'Send `push_down` to topic `devices/26372637216372637126376237/commands`'
    }, {
      'Preference-Applied': PREFERENCE_APPLIED,
      'Proxy-Status': { ...PROXY_STATUS, examples: ['messenger; details="no matching subscribers"'] },
      'Idempotency-Replayed': IDEMPOTENCY_REPLAYED,
      ...RATE_LIMIT
    }),
    400: problemResponse(['invalid_body', 'invalid_json', 'invalid_request', 'invalid_idempotency_key', 'malformed_request'], {
      'WWW-Authenticate': { ...WWW_AUTHENTICATE, examples: ['Bearer realm="messenger", error="invalid_request"'] }
    }),
    401: problemResponse(['token_missing', 'invalid_token'], { 'WWW-Authenticate': WWW_AUTHENTICATE }),
    403: problemResponse(['insufficient_scope', 'insufficient_authorization'], {
      'WWW-Authenticate': {
        ...WWW_AUTHENTICATE,
        examples: [
          'Bearer realm="messenger", error="insufficient_scope", scope="messaging:send"',
          'Bearer realm="messenger", error="insufficient_scope", error_description="The access token lacks the claim authorization_details"'
        ]
      }
    }),
    404: problemResponse(['no_subscriber'], {
      'Preference-Applied': PREFERENCE_APPLIED,
      'Proxy-Status': { ...PROXY_STATUS, examples: ['messenger; details="no matching subscribers"'] },
      'Idempotency-Replayed': IDEMPOTENCY_REPLAYED
    }),
    406: jsonResponse('Not sent: the command can never reach the device', SendResult, { detail: 'Somthing went wrong' }, {
      'Preference-Applied': PREFERENCE_APPLIED, 'Proxy-Status': PROXY_STATUS, 'Retry-After': RETRY_AFTER
    }),
    408: problemResponse(['request_timeout']),
    409: problemResponse(['idempotency_key_in_use'], { 'Retry-After': RETRY_AFTER }),
    413: problemResponse(['payload_too_large']),
    415: problemResponse(['unsupported_media_type'], { 'Accept-Encoding': HEADERS['Accept-Encoding'] }),
    422: problemResponse(['idempotency_key_reused']),
    429: problemResponse(['rate_limited'], { ...RATE_LIMIT, 'Retry-After': RETRY_AFTER, 'WWW-Authenticate': WWW_AUTHENTICATE }),
    431: problemResponse(['header_fields_too_large']),
    500: problemResponse(['internal_error']),
    503: problemResponse(['shutting_down', 'overloaded', 'key_source_unavailable', 'idempotency_store_full', 'idempotency_store_unavailable'], { 'Retry-After': RETRY_AFTER }),
    504: problemResponse(['delivery_unknown', 'reply_timeout'], {
      'Preference-Applied': PREFERENCE_APPLIED,
      'Proxy-Status': { ...PROXY_STATUS, examples: ['messenger; error=connection_read_timeout', 'messenger; error=http_response_timeout; details="no reply of the device"'] },
      'Idempotency-Replayed': IDEMPOTENCY_REPLAYED
    })
  }
}
