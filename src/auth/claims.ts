/** The claims of a verified token. */
export interface Claims {
  /** Who it was issued for. Never empty. */
  readonly sub: string
  /** Unix seconds after which it is not accepted. */
  readonly exp: number
  readonly iss?: string
  /** The client it was issued to (RFC 9068, section 2.2). */
  readonly client_id?: unknown
  /** The same as OpenID Connect names it. */
  readonly azp?: unknown
  /** Granted scopes, separated by blanks (RFC 8693, section 4.2). */
  readonly scope?: unknown
  /** The same as some issuers write it: a string or an array of strings. */
  readonly scp?: unknown
  /** What the token is narrowed to (RFC 9396, section 9.1). */
  readonly authorization_details?: unknown
}

/** Whether a token grants a scope, in `scope` or in `scp`. */
export function hasScope (claims: Claims, scope: string): boolean {
  return [claims.scope, claims.scp].some(granted => {
    if (typeof granted === 'string') return granted.split(' ').includes(scope)
    return Array.isArray(granted) && granted.includes(scope)
  })
}
