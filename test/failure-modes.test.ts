import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { catalogue } from '../src/errors.js'
import { quoted } from './helpers/markdown.js'

const DOCUMENT = readFileSync('docs/failure-modes.md', 'utf8')

/** All sources of a folder, as one text. */
function readAll (folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  return files.map(name => readFileSync(join(folder, name), 'utf8')).join('\n')
}
const source = readAll('src')
const tests = readAll('test').replaceAll('\\\'', '\'')

const rows = [...DOCUMENT.matchAll(/^\| (?!cause |---)(.*) \|$/gm)].map(match => String(match[1]).split(' | '))

for (const [cause = '', outcome = '', status = '', proxyStatus = '', logLine = '', test = '', ...rest] of rows) {
  t.test(`tells of the failure mode "${cause}" what is so`, async t => {
    t.strictSame(rest, [], 'six columns')
    t.match(outcome, /^(accepted|not sent|unknown|refused|as ever|as published)$/)
    for (const code of quoted(status)) t.ok(code in catalogue, `${code} is in the catalogue`)
    for (const value of quoted(proxyStatus)) t.ok(partsOf(value).every(part => source.includes(part)), `${value} is sent`)
    for (const line of quoted(logLine)) t.ok(source.includes(`'${line}'`), `"${line}" is logged`)
    t.ok(tests.includes(`t.test('${test}'`), `there is a test that ${test}`)
  })
}

/** Of a `Proxy-Status`, what the source has in one piece; the names of refusals are put in at run time. */
function partsOf (proxyStatus: string): string[] {
  return proxyStatus.split('; ').map(part => part.replace(/^error=|^details="|"$/g, ''))
}

t.test('leaves out no way in which a publish can end', async t => {
  const reply = readFileSync('src/routes/messaging/outcome-reply.ts', 'utf8')
  const ends = [...reply.matchAll(/error=\w+(; details="[\w ]+")?|'proxy_\w+_error'|details="[\w ]+"/g)].map(match => match[0].replaceAll('\'', ''))
  t.ok(ends.length >= 9)
  for (const end of ends) t.ok(DOCUMENT.includes(end), end)
})

t.test('leaves out no problem that a caller may try again after', async t => {
  const codes = Object.entries(catalogue).filter(([, { status }]) => [409, 422, 429].includes(status) || status >= 500).map(([code]) => code)
  for (const code of codes) t.ok(DOCUMENT.includes(`\`${code}\``), code)
})
