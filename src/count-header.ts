/**
 * How many lines a request has of one header. Node tells only the first of some, and what stands
 * before us may have looked at another.
 * @param rawHeaders names and values in turn, as Node has them
 * @param name in lower case
 */
export function countHeader (rawHeaders: readonly string[], name: string): number {
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const other = String(rawHeaders[index])
    // The length first: this runs for every request.
    if (other.length === name.length && other.toLowerCase() === name) found += 1
  }
  return found
}
