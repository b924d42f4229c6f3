import fc, { type Arbitrary } from 'fast-check'
import type { Rules } from '../model/rules.js'
import { createBodies } from './bodies.js'
import { createAuthorization, createTokens } from './tokens.js'
import { aroundBody, headers, host, mediaType, method, target } from './heads.js'
import type { Lines } from './lines.js'
import { damage } from './damage.js'

/** What is wrong in a case, where anything is: the rest of its requests is as it should be. */
export const KINDS = ['nothing', 'token', 'scope', 'body', 'media type', 'headers', 'route', 'connection', 'bytes', 'anything'] as const
export type Kind = typeof KINDS[number]

/** Something that is written on one connection. */
export interface Case {
  readonly kind: Kind
  /** Latin-1: one character for each byte. */
  readonly bytes: string
  /** Where it is cut into writes of their own. */
  readonly cuts: readonly number[]
}

/** What a request is made of. */
interface Parts {
  readonly method: Arbitrary<string>
  readonly target: Arbitrary<string>
  readonly version: Arbitrary<string>
  readonly host: Arbitrary<Lines>
  readonly connection: Arbitrary<Lines>
  readonly authorization: Arbitrary<Lines>
  readonly mediaType: Arbitrary<Lines>
  readonly headers: Arbitrary<Lines>
  /** Not framed yet. */
  readonly body: Arbitrary<string>
}

/** Cases of every kind, about as many of each. */
export function createCases (rules: Rules, nowS: number, seed: number): Arbitrary<Case> {
  const tokens = createTokens(rules, nowS, seed)
  const bodies = createBodies(rules)
  const bearer = (token: string): Lines => [['Authorization', `Bearer ${token}`]]

  const right: Parts = {
    method: fc.constant('POST'),
    target: fc.constant('/messaging/send'),
    version: fc.constant('HTTP/1.1'),
    host: fc.constant<Lines>([['Host', 'messenger.example']]),
    authorization: tokens.valid.map(bearer),
    mediaType: fc.constant<Lines>([['Content-Type', 'application/json']]),
    headers: fc.constant<Lines>([]),
    body: bodies.valid,
    connection: fc.constant<Lines>([])
  }
  const wild: Parts = {
    method,
    target,
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0'),
    host,
    authorization: createAuthorization(fc.oneof({ weight: 4, arbitrary: tokens.any }, { weight: 1, arbitrary: tokens.valid }, { weight: 1, arbitrary: tokens.unscoped })),
    mediaType,
    headers,
    body: bodies.any,
    connection: fc.constantFrom<Lines>([], [['Connection', 'close']], [['Connection', 'keep-alive']], [['Connection', 'Upgrade'], ['Upgrade', 'h2c']])
  }

  const request = (changes: Partial<Parts>): Arbitrary<string> => {
    const { body, ...rest } = { ...right, ...changes }
    return fc.record({ ...rest, framed: body.chain(aroundBody) }).map(({ method, target, version, host, connection, authorization, mediaType, headers, framed }) => {
      const lines = [...host, ...connection, ...authorization, ...mediaType, ...headers, ...framed.lines]
      return [`${method} ${target} ${version}`, ...lines.map(([name, value]) => `${name}: ${value}`), '', framed.bytes].join('\r\n')
    })
  }

  /** Seldom wild, so that several parts of a request may be wrong, or none. */
  const mix = <T>(name: (parts: Parts) => Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: name(right) }, { weight: 1, arbitrary: name(wild) })
  const anything = request({
    method: mix(parts => parts.method),
    target: mix(parts => parts.target),
    version: mix(parts => parts.version),
    host: mix(parts => parts.host),
    connection: mix(parts => parts.connection),
    authorization: mix(parts => parts.authorization),
    mediaType: mix(parts => parts.mediaType),
    headers: mix(parts => parts.headers),
    body: mix(parts => parts.body)
  })
  const several = fc.array(fc.oneof(request({}), request({ body: wild.body }), request({ connection: wild.connection, version: wild.version }), anything), { minLength: 2, maxLength: 5 })

  const byKind: Readonly<Record<Kind, Arbitrary<string>>> = {
    nothing: request({}),
    token: request({ authorization: wild.authorization }),
    scope: request({ authorization: tokens.unscoped.map(bearer) }),
    body: request({ body: wild.body }),
    'media type': request({ mediaType: wild.mediaType }),
    headers: request({ headers: wild.headers, host: wild.host }),
    route: request({ method: wild.method, target: wild.target }),
    connection: several.map(all => all.join('')),
    bytes: fc.oneof(request({}), anything, several.map(all => all.join(''))).chain(damage),
    anything
  }
  return fc.oneof(...KINDS.map(kind => fc.tuple(byKind[kind], fc.array(fc.nat({ max: 2_000 }), { maxLength: 3 }))
    .map(([bytes, cuts]): Case => ({ kind, bytes, cuts }))))
}
