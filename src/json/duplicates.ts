import { createScanner } from 'jsonc-parser'

/** What JSON.parse makes. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** A member whose name its object has already. */
export interface DuplicateMember {
  readonly name: string
  /** Where the name stands for the second time. */
  readonly offset: number
}

/**
 * Finds a name that an object of a JSON text has twice, however it is escaped: readers
 * disagree about what that means (RFC 8259, section 4; RFC 7493, section 2.3, forbids it).
 *
 * A text without one has as many colons as its value has members, unless there are colons in
 * strings. Only where the two differ is it read again.
 * @param value what JSON.parse made of the text
 */
export function findDuplicateMember (text: string, value: Json): DuplicateMember | undefined {
  return countColons(text) === countMembers(value) ? undefined : scanForDuplicate(text)
}

function countColons (text: string): number {
  let colons = 0
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) colons += 1
  return colons
}

/** Members of all objects in a value. Not recursive: a body may have thousands of levels. */
function countMembers (value: Json): number {
  let members = 0
  const found = [value]
  // It grows while it is walked.
  for (const next of found) {
    if (typeof next !== 'object' || next === null) continue
    if (Array.isArray(next)) {
      for (const item of next) if (typeof item === 'object') found.push(item)
    } else {
      for (const name in next) {
        members += 1
        const member = next[name]
        if (typeof member === 'object') found.push(member)
      }
    }
  }
  return members
}

function scanForDuplicate (text: string): DuplicateMember | undefined {
  const scanner = createScanner(text, true)
  const open: number[] = []
  const seen = new Set<string>()
  let brackets = 0
  let lastString: DuplicateMember = { name: '', offset: 0 }
  while (scanner.getPosition() < text.length) {
    scanner.scan()
    const offset = scanner.getTokenOffset()
    // The first character tells which token it is.
    switch (text.charAt(offset)) {
      case '"':
        lastString = { name: scanner.getTokenValue(), offset }
        break
      case ':': {
        const member = `${open.at(-1)} ${lastString.name}`
        if (seen.has(member)) return lastString
        seen.add(member)
        break
      }
      case '{':
      case '[':
        open.push(brackets += 1)
        break
      case '}':
      case ']':
        open.pop()
    }
  }
  return undefined
}
