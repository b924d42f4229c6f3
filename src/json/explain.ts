import { createScanner, parse, printParseErrorCode, type ParseError } from 'jsonc-parser'
import { describePlace } from './place.js'

/** Should the two parsers ever disagree. */
const AT_THE_START: ParseError = { error: 1, offset: 0, length: 0 }

/** Deepest text that is parsed a second time: that parser is recursive, and some thousands of brackets are its end. */
const MAX_DEPTH = 100

/** Why and where a text is not JSON. */
export function explainInvalidJson (text: string): string {
  if (text.trim() === '') return 'The body is empty'
  const tooDeep = findTooDeep(text)
  if (tooDeep !== undefined) {
    return `The body is not JSON, and cannot be read to where it goes wrong: it has over ${MAX_DEPTH} levels in ${describePlace(text, tooDeep)}`
  }
  const errors: ParseError[] = []
  parse(text, errors, { disallowComments: true, allowTrailingComma: false })
  const [first] = [...errors, AT_THE_START] as const
  const isComment = printParseErrorCode(first.error) === 'InvalidCommentToken'
  const what = isComment ? 'JSON has no comments: remove the one' : 'The body is not JSON: it goes wrong'
  return `${what} in ${describePlace(text, first.offset)}`
}

/** Where a text goes deeper than {@link MAX_DEPTH}. */
function findTooDeep (text: string): number | undefined {
  const scanner = createScanner(text, true)
  let depth = 0
  while (scanner.getPosition() < text.length) {
    scanner.scan()
    const offset = scanner.getTokenOffset()
    // The first character tells a bracket from all other tokens, a string with a bracket in it included.
    const character = text[offset]
    if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    if (depth > MAX_DEPTH) return offset
  }
  return undefined
}
