import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Version of the HTTP interface, as the OpenAPI document states it. */
export const API_VERSION = '1.0.0'

/** Builds the OpenAPI 3.1 document from the schemas of the routes and serves it at `GET /openapi.json`. */
export default fp(async (fastify: FastifyInstance) => {
  await fastify.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'messenger',
        version: API_VERSION,
        summary: 'HTTP to MQTT command gateway',
        description: 'Post a command for a device; the messenger publishes it to the MQTT topic of that device and tells what became of it.',
        license: { name: 'MIT', identifier: 'MIT' },
        contact: { name: 'The messenger maintainers', url: 'https://github.com/messenger' }
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: [
        { name: 'messaging', description: 'Commands for devices' },
        { name: 'health', description: 'For probes' }
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'OAuth 2 access token (RFC 6750)' }
        }
      }
    }
  })

  fastify.get('/openapi.json', { config: { public: true }, schema: { hide: true } }, async () => fastify.swagger())
}, { name: 'openapi' })
