import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Where the API reference is. Every path below it is public. */
export const DOCS_PATH = '/docs'

/**
 * What the page may load and where it may send: from and to this server only. Its pictures are written into its
 * style sheet. Nobody may frame it, since its buttons send commands.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/**
 * The API reference at `GET /docs`, where `GET /` leads: Swagger UI, all of it served from here. It shows the OpenAPI
 * document and sends commands with a token that is pasted once. It has a scope of its own, so what decorates requests
 * must be there before it. Why this one: docs/decisions/0009-api-reference.md
 */
export default fp(async (fastify: FastifyInstance) => {
  const hidden = { config: { public: true }, schema: { hide: true } }
  fastify.get('/', hidden, (_request, reply) => reply.redirect(DOCS_PATH))
  // Of Swagger UI as it is delivered, for no document of ours.
  fastify.get(`${DOCS_PATH}/static/`, hidden, (_request, reply) => reply.redirect(DOCS_PATH))

  await fastify.register(fastifySwaggerUi, {
    routePrefix: DOCS_PATH,
    staticCSP: PAGE_POLICY,
    theme: { title: 'messenger API' },
    uiConfig: {
      // Without a bar on top that asks for the address of another document.
      layout: 'BaseLayout',
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: -1
    },
    transformSpecification: document => {
      for (const operations of Object.values<Operations>(document.paths)) {
        for (const { parameters = [] } of Object.values(operations)) parameters.forEach(moveExample)
      }
      return document
    }
  })
}, { name: 'docs', dependencies: ['openapi', 'not-found', 'auth', 'authorization'] })

/** As the OpenAPI document has them at a path, by method. */
type Operations = Record<string, { parameters?: Parameter[] }>
interface Parameter {
  description: string
  example?: string
}

/**
 * Swagger UI fills fields with their examples, and who just sends would do so with a key that is used up, and wait for a
 * device. So the example is told instead.
 */
function moveExample (parameter: Parameter): void {
  parameter.description += `, e.g. \`${parameter.example}\``
  delete parameter.example
}
