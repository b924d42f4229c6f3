import { readFileSync } from 'node:fs'

/** One request of a collection, as far as both clients have it. */
export interface CollectedRequest {
  readonly folder: string
  readonly name: string
  readonly method: string
  /** With variables in double braces, as all else. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** `inherit` from the collection, `none`, or a token. */
  readonly auth: string
  /** What its script tests, by name. */
  readonly tests: readonly string[]
}

interface Postman {
  readonly auth: { readonly bearer: ReadonlyArray<{ readonly value: string }> }
  readonly item: ReadonlyArray<{ readonly name: string, readonly item: readonly PostmanRequest[] }>
}

interface PostmanRequest {
  readonly name: string
  readonly event: ReadonlyArray<{ readonly listen: string, readonly script: { readonly exec: readonly string[] } }>
  readonly request: {
    readonly auth?: { readonly type: string, readonly bearer?: ReadonlyArray<{ readonly value: string }> }
    readonly method: string
    readonly header: ReadonlyArray<{ readonly key: string, readonly value: string }>
    readonly body?: { readonly raw: string }
    readonly url: { readonly raw: string }
  }
}

interface Hoppscotch {
  readonly auth: HoppscotchAuth
  readonly folders: ReadonlyArray<{ readonly name: string, readonly auth: HoppscotchAuth, readonly requests: readonly HoppscotchRequest[] }>
}

interface HoppscotchAuth {
  readonly authType: string
  readonly token?: string
}

interface HoppscotchRequest {
  readonly name: string
  readonly method: string
  readonly endpoint: string
  readonly headers: ReadonlyArray<{ readonly key: string, readonly value: string }>
  readonly testScript: string
  readonly auth: HoppscotchAuth
  readonly body: { readonly contentType: string | null, readonly body: string | null }
}

/** Reads a file of `examples/`. */
function read (name: string): unknown {
  return JSON.parse(readFileSync(`examples/messenger.${name}.json`, 'utf8'))
}

/** Names of tests, those too that depend on the answer. */
function testsIn (script: string): string[] {
  return [...script.matchAll(/\.test\((.*), \(\) => \{$/gm)].map(match => String(match[1]))
}

/** The requests of both collections. */
export function readCollections () {
  const postman = read('postman_collection') as Postman
  const hoppscotch = read('hoppscotch') as Hoppscotch
  const toBraces = (text: string) => text.replaceAll(/<<(\w+)>>/g, '{{$1}}')
  return {
    tokens: { postman: postman.auth.bearer[0]?.value, hoppscotch: toBraces(hoppscotch.auth.token ?? '') },
    postman: postman.item.flatMap(folder => folder.item.map(({ name, event, request }): CollectedRequest => ({
      folder: folder.name,
      name,
      method: request.method,
      url: request.url.raw,
      headers: Object.fromEntries(request.header.map(({ key, value }) => [key, value])),
      body: request.body?.raw,
      auth: request.auth === undefined ? 'inherit' : request.auth.bearer?.[0]?.value ?? 'none',
      tests: event.filter(({ listen }) => listen === 'test').flatMap(({ script }) => testsIn(script.exec.join('\n')))
    }))),
    hoppscotch: hoppscotch.folders.flatMap(folder => folder.requests.map(({ name, method, endpoint, headers, testScript, auth, body }): CollectedRequest => ({
      folder: folder.name,
      name,
      method,
      url: toBraces(endpoint),
      headers: {
        // Hoppscotch has it with the body.
        ...(body.contentType !== null && { 'Content-Type': body.contentType }),
        ...Object.fromEntries(headers.map(({ key, value }) => [key, toBraces(value)]))
      },
      body: body.body === null ? undefined : toBraces(body.body),
      auth: auth.token === undefined ? auth.authType : toBraces(auth.token),
      tests: testsIn(testScript)
    })))
  }
}

/** What the environments have, by name, and whether it is secret. */
export function readEnvironments () {
  const postman = read('postman_environment') as { values: ReadonlyArray<{ key: string, value: string, type: string }> }
  const hoppscotch = read('hoppscotch_environment') as { variables: ReadonlyArray<{ key: string, value: string, secret: boolean }> }
  return {
    postman: postman.values.map(({ key, value, type }) => ({ key, value, isSecret: type === 'secret' })),
    hoppscotch: hoppscotch.variables.map(({ key, value, secret }) => ({ key, value: value.replaceAll(/<<(\w+)>>/g, '{{$1}}'), isSecret: secret }))
  }
}
