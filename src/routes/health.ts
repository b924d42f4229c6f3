import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ProblemError } from '../errors.js'
import { Live, Ready } from '../schemas/health.js'
import { HEADERS, jsonResponse, problemResponse } from '../schemas/responses.js'

const RETRY_AFTER = { 'Retry-After': HEADERS['Retry-After'] }

/** `GET /health/live` and `GET /health/ready`, for probes. They need no token and answer while the server stops. */
export const healthRoutes: FastifyPluginAsyncTypebox = async fastify => {
  const config = { public: true, servedWhileStopping: true }

  fastify.get('/health/live', {
    config,
    schema: {
      operationId: 'isLive',
      tags: ['health'],
      summary: 'Whether the process is up',
      description: 'Says nothing of the broker, so that a process which answers an honest 406 is not restarted for it.',
      response: { 200: jsonResponse('It is', Live, { status: 'live' }) }
    }
  }, async () => ({ status: 'live' as const }))

  fastify.get('/health/ready', {
    config,
    schema: {
      operationId: 'isReady',
      tags: ['health'],
      summary: 'Whether commands would be published now',
      description: 'Not ready means: no connection to the broker, or stopping. Commands are then answered 406 or 503.',
      response: {
        200: jsonResponse('They would', Ready, { status: 'ready' }),
        503: problemResponse(['broker_unavailable', 'shutting_down'], RETRY_AFTER)
      }
    }
  }, async () => {
    const headers = { 'retry-after': '2' }
    if (!fastify.drain.isServing) throw new ProblemError('shutting_down', { headers })
    if (!fastify.mqtt.isConnected) throw new ProblemError('broker_unavailable', { headers })
    return { status: 'ready' as const }
  })
}
