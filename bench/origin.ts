/**
 * Reads the address of a server from a command line, e.g. `http://127.0.0.1:3000`; gives it back without a slash at the end.
 * @throws {Error} where it is none, or has a path
 */
export function readOrigin (text: string): string {
  if (!URL.canParse(text)) throw new Error(`${text} is not a URL`)
  const { protocol, pathname, search, origin } = new URL(text)
  if (!/^https?:$/.test(protocol) || pathname + search !== '/') throw new Error(`${text} must be http:// or https:// and a host, without a path`)
  return origin
}
