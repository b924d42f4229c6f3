import { createScanner } from 'jsonc-parser'

/**
 * The value of a member as it stands in the JSON text of an object: to read and write it again would change
 * its numbers above 2^53. Of a name that is there twice the last, as JSON.parse has it.
 * @param text the JSON of an object
 * @returns undefined where it has no such member
 */
export function readMemberText (text: string, name: string): string | undefined {
  const scanner = createScanner(text, true)
  let depth = 0
  let lastName = ''
  let member = ''
  let start = 0
  let found: string | undefined

  // It ends at the comma after it, or at the end of the object.
  function closeMember (end: number): void {
    if (member === name) found = text.slice(start, end).trim()
  }

  while (scanner.getPosition() < text.length) {
    scanner.scan()
    const offset = scanner.getTokenOffset()
    // The first character tells which token it is.
    switch (text.charAt(offset)) {
      case '"':
        if (depth === 1) lastName = scanner.getTokenValue()
        break
      case ':':
        if (depth > 1) break
        member = lastName
        start = scanner.getPosition()
        break
      case ',':
        if (depth === 1) closeMember(offset)
        break
      case '{':
      case '[':
        depth += 1
        break
      case '}':
      case ']':
        if (depth === 1) closeMember(offset)
        depth -= 1
    }
  }
  return found
}
