import { createHash } from 'node:crypto'
import { ProblemError } from '../errors.js'

/** 1-255 visible ASCII characters (RFC 5234, VCHAR). A blank is none of them: two headers, joined by `, `, do not pass. */
const VISIBLE = /^[\x21-\x7e]{1,255}$/

/** An sf-string (RFC 8941, section 3.3.3): in quotes, with `"` and `\` escaped by `\`. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/

/**
 * The key of an `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header), the same quoted and bare.
 * @returns undefined where there is no header
 * @throws {ProblemError} `invalid_idempotency_key` (400) where it is not one key of 1-255 visible ASCII characters
 */
export function readIdempotencyKey (header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = String(header)
  const key = text.startsWith('"') ? QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, '$1') : text
  if (key === undefined || !VISIBLE.test(key)) throw new ProblemError('invalid_idempotency_key')
  return key
}

/** Whose key it is, and for what: the same text of another caller or on another route is another key. */
export interface KeyScope {
  /** `iss` of the token; undefined where it has none. */
  readonly issuer: string | undefined
  /** `sub` of the token. */
  readonly subject: string
  /** The route's path. */
  readonly route: string
  readonly key: string
}

/** The name of a key's record in a store: of one length, and without anything a caller sent. */
export function nameRecord ({ issuer, subject, route, key }: KeyScope): string {
  return sha256(JSON.stringify([issuer ?? null, subject, route, key]))
}

/** What a request asks for, as one value: equal for bodies with the same members, whatever their order. */
export function fingerprintOf (body: unknown): string {
  return sha256(JSON.stringify(body, (_name, value: unknown) => isObject(value) ? sortMembers(value) : value))
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sortMembers (value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
}

function sha256 (text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
