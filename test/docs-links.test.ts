import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')

function anchorsOf (file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(match => anchorOf(String(match[1])))
}

const inDocs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md')).map(name => join('docs', name))
const documents = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'src/README.md', 'test/README.md', 'test/faults/README.md', 'bench/README.md', 'examples/devices/README.md', 'deploy/cluster/README.md', ...inDocs]

for (const file of documents) {
  const text = readFileSync(file, 'utf8')

  t.test(`${file} links to what there is`, async t => {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      t.ok(existsSync(target), link)
      if (anchor !== undefined) t.ok(anchorsOf(target).includes(anchor), link)
    }
  })

  t.test(`${file} names files that there are`, async t => {
    for (const [path] of text.matchAll(/(?<![\w./-])(?:src|test|docs|bench|examples|deploy)\/[\w./-]*\w/g)) t.ok(existsSync(path), path)
  })
}
