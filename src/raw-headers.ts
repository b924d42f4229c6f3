/**
 * Whether a header has several lines. Node keeps the first of those that may stand once only, and what
 * stands before us may have looked at another.
 * @param rawHeaders names and values in turn, as Node has them
 * @param name in lower case
 */
export function isRepeated (rawHeaders: readonly string[], name: string): boolean {
  let lines = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = String(rawHeaders[index])
    // The length first: this runs for every request.
    if (raw.length === name.length && raw.toLowerCase() === name) lines += 1
  }
  return lines > 1
}
