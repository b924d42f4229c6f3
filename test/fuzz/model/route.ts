import type { Rules } from './rules.js'

/** Where a request goes: to a handler, or to an answer that says why not. */
export type Route =
  | { readonly to: 'send' | 'public' }
  | { readonly to: 'nowhere', readonly answers: readonly string[], readonly allow?: readonly string[] }

/** The methods of every path. */
const PATHS = new Map<string, readonly string[]>([
  ['/messaging/send', ['POST']],
  ['/health/live', ['GET', 'HEAD']],
  ['/health/ready', ['GET', 'HEAD']],
  ['/openapi.json', ['GET', 'HEAD']],
  ['/', ['GET', 'HEAD']],
  ['/docs', ['GET', 'HEAD']],
  ['/docs/', ['GET', 'HEAD']]
])

/** Finds the handler for a method and a target (RFC 9112, section 3.2; RFC 3986, section 6.2.2.2). */
export function findRoute (method: string, target: string, { corsOrigin }: Rules): Route {
  const path = pathOf(target)
  if (path === undefined) return { to: 'nowhere', answers: ['400 malformed_request'] }
  if (method === 'OPTIONS' && corsOrigin !== undefined) return { to: 'nowhere', answers: ['204'] }
  const methods = PATHS.get(path)
  if (methods === undefined) return { to: 'nowhere', answers: ['404 not_found'] }
  if (!methods.includes(method)) return { to: 'nowhere', answers: ['405 method_not_allowed'], allow: methods }
  if (path === '/') return { to: 'nowhere', answers: ['302'] }
  return { to: methods.includes('POST') ? 'send' : 'public' }
}

/** The path of a target, its percent-encodings read where that changes nothing; undefined where they cannot be read. */
function pathOf (target: string): string | undefined {
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/)
  try {
    return decodeURI(path === '' ? '/' : path)
  } catch {
    return undefined
  }
}
