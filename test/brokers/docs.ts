import { readFileSync, writeFileSync } from 'node:fs'
import { SUBJECTS, VERDICTS, type Subject, type Verdicts } from './verdicts.js'

const FILE = 'docs/brokers.md'
const BEGIN = '<!-- Written by: npm run -s brokers -->\n'
const END = '<!-- End -->'

/**
 * A block of a language in a section of the operators' page: what they paste is what is tested.
 * @param index which of them. Default: the first
 */
export function readBlock (section: string, language: string, index = 0): string {
  const [, text = ''] = readFileSync(FILE, 'utf8').split(`\n## ${section}\n`)
  const blocks = (text.split('\n## ')[0] ?? '').matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))
  const [, block] = [...blocks][index] ?? []
  if (block === undefined) throw new Error(`${FILE} has no block ${index + 1} of ${language} in its section ${section}`)
  return block
}

/** Variables of the messenger, as a section gives them. */
export function readEnv (section: string): Record<string, string> {
  return Object.fromEntries(readBlock(section, 'sh').trim().split('\n').map(line => {
    const [name = '', ...value] = line.split('=')
    return [name, value.join('=')]
  }))
}

/** The table of a run: a row for each capability, a column for each broker. */
export function formatTable (findingsOf: (subject: Subject) => Partial<Verdicts>): string {
  const columns = SUBJECTS.map(findingsOf)
  const rows = Object.entries(VERDICTS).map(([id, { title }]) => [title, ...columns.map(found => found[id as keyof Verdicts] ?? '?')])
  return [['What', ...SUBJECTS], ['---', ...SUBJECTS.map(() => '---')], ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** The table that the page has. */
export function readTable (): string {
  return splitPage().written.split('\n\n')[0] ?? ''
}

/** Puts a table into the page, and below it the versions it was made with, which are said and not checked: they change with every update. */
export function writeTable (table: string, versions: readonly string[]): void {
  const { before, after } = splitPage()
  writeFileSync(FILE, `${before}${BEGIN}${table}\n\nLast written with ${versions.join(', ')}.\n${END}${after}`)
}

function splitPage () {
  const [before = '', rest = ''] = readFileSync(FILE, 'utf8').split(BEGIN)
  const [written = '', after = ''] = rest.split(END)
  return { before, written, after }
}
