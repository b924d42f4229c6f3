import { Type } from '@sinclair/typebox'
import { BulkAnswer } from '../../schemas/messaging.js'
import { HEADERS, jsonResponse, problemResponse } from '../../schemas/responses.js'
import { sendDocs } from './send-docs.js'

const { 'Retry-After': RETRY_AFTER } = HEADERS
const { 400: malformed, 401: unauthorized, 403: forbidden, 408: late, 409: inUse, 413: tooLarge, 415: notJson, 422: reused, 429: limited, 431: headersTooLarge, 500: failed } = sendDocs.response

const EXAMPLE = {
  results: [
    { imei: '26372637216372637126376237', status: 200, detail: 'Send `push_down` to topic `devices/26372637216372637126376237/commands`' },
    { imei: 'gate-7', status: 406, detail: 'Somthing went wrong' },
    { imei: null, status: 400, detail: 'The command does not fit its schema: /imei is required', code: 'invalid_body' }
  ]
}

/** What the OpenAPI document says of `POST /messaging/send/bulk`, beside its body; also serializes the answers. */
export const bulkDocs = {
  operationId: 'sendCommands',
  tags: ['messaging'],
  summary: 'Send up to 1000 commands, each by itself',
  description: [
    'Does with each command what `POST /messaging/send` does with one, and answers 200 with a result for each, in their order: ' +
      '`status` is what that route would have answered, also where every one of them failed. One that is not valid, not allowed or ' +
      'above a limit keeps no other from being sent.',
    '',
    'Of more commands than the broker takes at a time, the others wait for those before them, for as long as one publish may take; ' +
      'what has not been handed over by then is 406.',
    '',
    'With an `Idempotency-Key` the whole answer is recorded, 406 items included: send those again under a new key. ' +
      'Where the process that held the key died, every item is 504. `Prefer: wait` is ignored.',
    '',
    'After any status but 200 nothing was published.'
  ].join('\n'),
  headers: Type.Pick(sendDocs.headers, ['idempotency-key', 'x-request-id', 'traceparent']),
  response: {
    200: jsonResponse('What became of each command', BulkAnswer, EXAMPLE, {
      'Idempotency-Replayed': HEADERS['Idempotency-Replayed'],
      'RateLimit-Limit': HEADERS['RateLimit-Limit'],
      'RateLimit-Remaining': HEADERS['RateLimit-Remaining'],
      'RateLimit-Reset': HEADERS['RateLimit-Reset']
    }),
    400: malformed,
    401: unauthorized,
    403: forbidden,
    408: late,
    409: inUse,
    413: tooLarge,
    415: notJson,
    422: reused,
    429: limited,
    431: headersTooLarge,
    500: failed,
    503: problemResponse(['shutting_down', 'key_source_unavailable', 'idempotency_store_full', 'idempotency_store_unavailable'], { 'Retry-After': RETRY_AFTER })
  }
}
