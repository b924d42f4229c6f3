import { createServer } from 'node:http'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { discoverKeySetUrl } from '../../src/auth/discovery.js'
import { createLoader } from '../../src/auth/key-source.js'
import { listen, startIssuer, toJwk } from '../helpers/issuer.js'
import { generateEc } from '../helpers/keys.js'

const TIMEOUT_MS = 5_000
const MAX_BYTES = 1_048_576
const OIDC = '/.well-known/openid-configuration'
const OAUTH = '/.well-known/oauth-authorization-server'

/** An HTTP server with these documents, as text or as JSON, that remembers what it was asked for. */
async function startServer (t: Test, documents: Map<string, unknown>) {
  const asked: string[] = []
  const url = await listen(t, createServer((request, response) => {
    const path = String(request.url)
    asked.push(path)
    const document = documents.get(path)
    response.statusCode = document === undefined ? 404 : typeof document === 'number' ? document : 200
    response.end(typeof document === 'string' ? document : JSON.stringify(document))
  }))
  return { url, asked }
}

t.test('finds the key set by OpenID Connect Discovery, below the path of the issuer, with or without a slash at its end', async t => {
  for (const path of ['', '/', '/realms/a', '/realms/a/']) {
    const documents = new Map<string, unknown>()
    const { url, asked } = await startServer(t, documents)
    const at = `${path.replace(/\/$/, '')}${OIDC}`
    documents.set(at, { issuer: `${url}${path}`, jwks_uri: 'https://keys.example/set' })
    t.equal(await discoverKeySetUrl(`${url}${path}`, TIMEOUT_MS), 'https://keys.example/set')
    t.strictSame(asked, [at])
  }
})

t.test('finds the key set by RFC 8414, before the path of the issuer, where there is no OpenID Connect', async t => {
  for (const path of ['', '/tenants/a']) {
    const documents = new Map<string, unknown>()
    const { url, asked } = await startServer(t, documents)
    documents.set(`${OAUTH}${path}`, { issuer: `${url}${path}`, jwks_uri: `${url}/keys` })
    t.equal(await discoverKeySetUrl(`${url}${path}`, TIMEOUT_MS), `${url}/keys`)
    t.strictSame(asked, [`${path}${OIDC}`, `${OAUTH}${path}`])
  }
})

t.test('does not trust metadata of another issuer, or without a key set that can be fetched', async t => {
  const documents = new Map<string, unknown>()
  const { url } = await startServer(t, documents)
  const refusal = async (document: unknown) => {
    documents.set(OIDC, document)
    return await discoverKeySetUrl(url, TIMEOUT_MS).then(() => 'none', (error: Error) => error.message)
  }
  const at = `${url}${OIDC}`
  for (const document of [{}, { issuer: `${url}/`, jwks_uri: `${url}/keys` }, { issuer: [url], jwks_uri: `${url}/keys` }, []]) {
    t.equal(await refusal(document), `${at} is not of the issuer ${url}`)
  }
  for (const uri of [undefined, 7, '/keys', 'file:///keys.json', 'nonsense']) {
    t.equal(await refusal({ issuer: url, jwks_uri: uri }), `${at} has no jwks_uri that can be used`)
  }
  t.equal(await refusal('null'), `${at} is not a JSON object`)
  t.equal(await refusal('7'), `${at} is not a JSON object`)
  t.equal(await refusal(500), `${at} answers 500`)
  t.equal(await refusal(302), `${at} answers 302`)
  t.equal(await refusal(404), `${url}${OAUTH} answers 404`)
  t.equal(await refusal('nonsense'), `${at} is not a JSON object`)
})

/** The messages of an error and of all that caused it. */
function messagesOf (error: unknown): string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : []
}

t.test('reads no more than a mebibyte of metadata or of a key set, packed or not', async t => {
  const [metadata, set] = ['{"issuer":"x"}', '{"keys":[]}'].map(json => (bytes: number) => json.padEnd(bytes))
  let text = ''
  const url = await listen(t, createServer((_request, response) => {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync(text))
  }))
  const fault = async (json: typeof set, bytes: number, load: () => Promise<unknown>) => {
    text = json?.(bytes) ?? ''
    return await load().then(() => [], messagesOf)
  }
  const TOO_LARGE = 'the answer is larger than 1048576 bytes'
  const discover = async () => await discoverKeySetUrl(url, TIMEOUT_MS)
  t.strictSame(await fault(metadata, MAX_BYTES, discover), [`${url}${OIDC} is not of the issuer ${url}`])
  t.strictSame(await fault(metadata, MAX_BYTES + 1, discover), [`no answer of ${url}${OIDC}`, TOO_LARGE])
  const load = createLoader({ jwksUrl: `${url}/keys?secret` })
  t.strictSame(await fault(set, MAX_BYTES, load), [])
  t.strictSame(await fault(set, MAX_BYTES + 1, load), [`no keys from ${url}/keys`, TOO_LARGE])
  t.strictSame(await fault(set, 150 * MAX_BYTES, load), [`no keys from ${url}/keys`, TOO_LARGE])
})

t.test('says of keys that cannot be fetched from where, without the query, and why', async t => {
  const issuer = await startIssuer(t)
  const load = createLoader({ jwksUrl: `${issuer.url}/keys?secret` })
  issuer.state.mood = 'fails'
  t.strictSame(await load().then(() => [], messagesOf), [`no keys from ${issuer.url}/keys`, 'it answers 500'])
  issuer.state.mood = 'talks nonsense'
  t.equal((await load().then(() => [], messagesOf))[0], `no keys from ${issuer.url}/keys`)
})

t.test('asks the issuer once, and again only when its key set could not be fetched', async t => {
  const documents = new Map<string, unknown>()
  const { url, asked } = await startServer(t, documents)
  const set = await startIssuer(t)
  const moved = await startIssuer(t)
  moved.state.keys = [toJwk(generateEc().publicKey, { kid: 'moved' })]
  documents.set(OIDC, { issuer: url, jwks_uri: `${set.url}/keys` })
  const load = createLoader({ issuer: url })
  t.equal((await load()).text, '{"keys":[]}')
  await load()
  t.equal(asked.length, 1)
  set.state.mood = 'fails'
  documents.set(OIDC, { issuer: url, jwks_uri: `${moved.url}/keys` })
  await t.rejects(load())
  t.equal(asked.length, 1)
  t.match((await load()).text, /"kid":"moved"/)
  t.equal(asked.length, 2)
})
