import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { withoutTap } from './helpers/coverage.js'
import { copyProject, shellEnv } from './helpers/shell.js'

const cwd = copyProject(t)
const site = join(cwd, 'docs/.vitepress/dist')

/** Builds the site of the copy: all that was printed, and whether it failed. */
async function build (): Promise<{ failed: boolean, output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(...withoutTap('npm', ['run', '-s', 'docs:build']), { cwd, env: shellEnv, timeout: 240_000 })
    return { failed: false, output: stdout + stderr }
  } catch (error) {
    const { stdout, stderr } = Object.assign({ stdout: '', stderr: '' }, error)
    return { failed: true, output: stdout + stderr }
  }
}

/** Paths from the root of the site, e.g. `docs/auth.html`. */
function filesOf (extension: string): string[] {
  return readdirSync(site, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith(extension))
}

const read = (path: string) => readFileSync(join(site, path), 'utf8')

/** Values of an attribute, of the elements of a name where one is given. */
function valuesOf (html: string, attribute: string, element = '\\w+'): string[] {
  return [...html.matchAll(new RegExp(`<${element}\\b[^>]*?\\s${attribute}="([^"]*)"`, 'g'))].map(match => String(match[1]).replaceAll('&amp;', '&'))
}

const isElsewhere = (url: string) => /^([\w+.-]+:)?\/\//.test(url)

t.test('builds a site of all documents', async t => {
  const { failed, output } = await build()
  t.equal(failed, false, output)
  const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { encoding: 'utf8' }).trim().split('\n')
  const pages = documents.map(name => name === 'docs/index.md' ? 'index.html' : name.replace(/\.md$/, '.html'))
  t.strictSame(filesOf('.html').sort(), [...pages, '404.html'].sort())
})

t.test('leads nowhere that is not there', async t => {
  let followed = 0
  const dead: string[] = []
  for (const page of filesOf('.html')) {
    const html = read(page)
    for (const url of [...valuesOf(html, 'href'), ...valuesOf(html, 'src')]) {
      if (isElsewhere(url) || url.startsWith('data:')) continue
      const [path = '', anchor = ''] = decodeURI(url).split('#')
      const from = path.startsWith('/') ? path.slice(1) : posix.join(dirname(page), path)
      const target = path === '' ? page : from.replace(/(^|\/)$/, '$1index.html')
      const isThere = existsSync(join(site, target)) && (anchor === '' || read(target).includes(`id="${anchor}"`))
      if (!isThere) dead.push(`${page} leads to ${url}`)
      followed++
    }
  }
  t.ok(followed > 1000, `${followed} links`)
  t.strictSame(dead, [])
})

t.test('loads nothing from elsewhere', async t => {
  for (const page of filesOf('.html')) {
    const html = read(page)
    const loaded = [...valuesOf(html, 'src'), ...valuesOf(html, 'srcset'), ...valuesOf(html, 'href', 'link')]
    t.strictSame(loaded.filter(isElsewhere), [], page)
  }
  for (const sheet of filesOf('.css')) {
    const urls = [...read(sheet).matchAll(/url\(["']?([^"')]*)|@import\s*["']([^"']*)/g)].map(match => match[1] ?? String(match[2]))
    t.strictSame(urls.filter(isElsewhere), [], sheet)
  }
})

t.test('is written from right to left in Persian, and its code from left to right', async t => {
  for (const page of filesOf('.html')) {
    const [element] = /<html[^>]*>/.exec(read(page)) ?? []
    t.equal(element, page.startsWith('docs/fa/') ? '<html lang="fa-IR" dir="rtl">' : '<html lang="en" dir="ltr">', page)
  }
  const sheets = filesOf('.css').map(read).join('\n')
  t.match(sheets, /:not\(pre\)>code\{[^}]*direction:ltr/)
  t.match(sheets, /div\[class\*=["']?language-["']?\]\{[^}]*direction:ltr/)
})

t.test('has all braces of the documents', async t => {
  for (const language of ['en', 'fa']) t.ok(read(`docs/${language}/tutorial.html`).includes('{{$guid}}'), language)
})

t.test('is not built where a document links to a page that is not there', async t => {
  writeFileSync(join(cwd, 'docs/dead.md'), '[a page](nowhere.md)\n')
  const { failed, output } = await build()
  t.equal(failed, true)
  t.match(output, /nowhere/)
})

t.test('is not built where a document links to a file that is not there', async t => {
  writeFileSync(join(cwd, 'docs/dead.md'), '[a file](../src/nowhere.ts)\n')
  const { failed, output } = await build()
  t.equal(failed, true)
  t.match(output, 'docs/dead.md links to ../src/nowhere.ts, which is not there')
})

t.test('lets a document link to a file, and to a folder, which the site has no page for', async t => {
  writeFileSync(join(cwd, 'docs/dead.md'), '[a file](../package.json), [a folder](../bench/)\n')
  const { failed, output } = await build()
  t.equal(failed, false, output)
  t.match(read('docs/dead.html'), /<a href="\.\.\/package\.json" download[^>]*>a file<\/a>, a folder/)
  t.equal(read('package.json'), readFileSync('package.json', 'utf8'))
})
