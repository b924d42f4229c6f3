import t from 'tap'
import { catalogue } from '../../src/errors.js'
import { PAGE_POLICY } from '../../src/plugins/docs.js'
import { startApp } from '../helpers/app.js'
import { createLog } from '../helpers/log.js'

const NOWHERE = { MQTT_URL: 'mqtt://127.0.0.1:1' }

/** All that the page loads. */
const FILES = {
  '/docs/static/swagger-ui.css': 'text/css; charset=utf-8',
  '/docs/static/index.css': 'text/css; charset=utf-8',
  '/docs/static/swagger-ui-bundle.js': 'application/javascript; charset=utf-8',
  '/docs/static/swagger-ui-standalone-preset.js': 'application/javascript; charset=utf-8',
  '/docs/static/swagger-initializer.js': 'application/javascript; charset=utf-8',
  '/docs/static/favicon-32x32.png': 'image/png',
  '/docs/json': 'application/json; charset=utf-8'
}

t.test('serves the page and all that it loads without a token, under a policy of its own', async t => {
  const app = await startApp(t, NOWHERE)
  for (const [url, type] of Object.entries({ '/docs': 'text/html; charset=utf-8', '/docs/': 'text/html; charset=utf-8', ...FILES })) {
    const { statusCode, headers } = await app.inject({ url, headers: { 'x-request-id': 'mine' } })
    t.equal(statusCode, 200, url)
    t.equal(headers['content-type'], type, url)
    t.equal(headers['content-security-policy'], PAGE_POLICY, url)
    t.equal(headers['x-content-type-options'], 'nosniff', url)
    t.equal(headers['x-request-id'], 'mine', url)
  }
  t.strictSame(PAGE_POLICY.match(/https?:|\*|'unsafe-\w+'/g), null, 'nothing from elsewhere, nothing inline')
  t.equal((await app.inject('/openapi.json')).headers['content-security-policy'], undefined, 'a policy is for pages')
})

t.test('serves the page also where every token must have a scope', async t => {
  const app = await startApp(t, { ...NOWHERE, JWT_SCOPE: 'messaging:send' })
  for (const url of ['/docs', '/docs/json']) t.equal((await app.inject(url)).statusCode, 200, url)
})

t.test('lets browsers keep the files, if they ask each time whether they have changed, and nothing else', async t => {
  const app = await startApp(t, NOWHERE)
  const { headers } = await app.inject('/docs/static/swagger-ui.css')
  t.equal(headers['cache-control'], 'public, max-age=0')
  const again = await app.inject({ url: '/docs/static/swagger-ui.css', headers: { 'if-none-match': headers.etag } })
  t.strictSame([again.statusCode, again.body], [304, ''])
  for (const url of ['/', '/docs', '/docs/json']) t.equal((await app.inject(url)).headers['cache-control'], 'no-store', url)
})

t.test('leads from the root, and from pages of Swagger UI that are none of ours, to the page', async t => {
  const app = await startApp(t, NOWHERE)
  for (const [url, location] of [['/', '/docs'], ['/docs/static/', '/docs'], ['/docs/static/index.html', '/docs/']] as const) {
    const response = await app.inject(url)
    t.strictSame([response.statusCode, response.headers.location, response.body], [302, location, ''], url)
  }
})

t.test('shows the OpenAPI document, with examples of headers told instead of filled in', async t => {
  const app = await startApp(t, NOWHERE)
  const document = (await app.inject('/openapi.json')).json()
  const shown = (await app.inject('/docs/json')).json()
  for (const path of ['/messaging/send', '/messaging/send/bulk']) {
    const { parameters } = document.paths[path].post
    t.ok(parameters.length > 0)
    t.strictSame(shown.paths[path].post.parameters, parameters.map(({ example, ...parameter }: Record<string, string>) => {
      t.type(example, 'string')
      return { ...parameter, description: `${parameter.description}, e.g. \`${example}\`` }
    }))
    shown.paths[path].post.parameters = parameters
  }
  t.strictSame(shown, document)
  t.strictSame((await app.inject('/openapi.json')).json(), document, 'which stays as it is')
})

t.test('is not in the OpenAPI document', async t => {
  const app = await startApp(t, NOWHERE)
  t.strictSame(Object.keys((await app.inject('/openapi.json')).json().paths), ['/health/live', '/health/ready', '/messaging/send', '/messaging/send/bulk'])
})

t.test('answers 404 to files that are not there, and to those outside of its folder', async t => {
  const app = await startApp(t, NOWHERE)
  const { title, status, detail } = catalogue.not_found
  for (const name of ['nowhere.js', '..%2fpackage.json', '..%2f..%2f..%2f..%2fpackage.json', '%2e%2e/package.json', '.git']) {
    const response = await app.inject(`/docs/static/${name}`)
    t.equal(response.statusCode, 404, name)
    t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.strictSame(response.json(), { title, status, code: 'not_found', detail })
    t.ok(response.headers['x-request-id'])
  }
})

t.test('logs a line for each of its requests, as for any other', async t => {
  const log = createLog()
  const app = await startApp(t, NOWHERE, { logger: log.logger })
  const line = { method: 'GET', hasDuration: true }
  for (const url of ['/', '/docs', '/docs/static/index.css', '/docs/static/nowhere.js']) await app.inject({ url, headers: { 'x-request-id': 'mine' } })
  t.strictSame(log.answered(), [
    { reqId: 'mine', path: '/', status: 302, ...line },
    { reqId: 'mine', path: '/docs', status: 200, ...line },
    { reqId: 'mine', path: '/docs/static/index.css', status: 200, ...line },
    { reqId: 'mine', path: '/docs/static/nowhere.js', status: 404, reason: 'not_found', ...line }
  ])
})

t.test('answers 503 while the server stops', async t => {
  const app = await startApp(t, NOWHERE)
  app.drain.refuse()
  for (const url of ['/', '/docs', '/docs/static/swagger-ui.css']) {
    const response = await app.inject(url)
    t.strictSame([response.statusCode, response.json().code, response.headers.connection], [503, 'shutting_down', 'close'], url)
  }
})
