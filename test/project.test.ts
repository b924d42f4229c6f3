import { readFileSync } from 'node:fs'
import t from 'tap'

const read = (file: string) => readFileSync(file, 'utf8')
const { version, engines } = JSON.parse(read('package.json'))

t.test('has a changelog with the version of the package', async t => {
  const versions = [...read('CHANGELOG.md').matchAll(/^## \[([^\]]+)\] - (.+)$/gm)].map(match => match[1])
  t.equal(versions[0], version)
  t.equal(JSON.parse(read('package-lock.json')).version, version)
})

t.test('tells in under 30 lines how to contribute', async t => {
  t.ok(read('CONTRIBUTING.md').trimEnd().split('\n').length < 30)
})

t.test('is tested, by the workflow too, on the least version of Node.js that it takes and on those that .ci/run has', async t => {
  const workflow = read('.github/workflows/ci.yml')
  const [, list = ''] = /^ +node: \[(.*)\]$/m.exec(workflow) ?? []
  const [, others = ''] = /^for version in (.*); do$/m.exec(read('.ci/run')) ?? []
  t.strictSame(list.split(', '), [engines.node.replace('>=', ''), ...others.split(' ')].map(name => `'${name}'`))
})

t.test('has in its workflow every package that .ci/run installs', async t => {
  const [, packages = ''] = /^ +PACKAGES: (.*)$/m.exec(read('.github/workflows/ci.yml')) ?? []
  const [missing = ''] = /^missing\(\) \{[\s\S]*?^\}/m.exec(read('.ci/run')) ?? []
  // Pairs of a command and its package, and packages that are looked for in another way.
  const installed = [...missing.matchAll(/[\w-]+:([\w-]+)|\|\| echo ([\w-]+)$/gm)].map(match => match[1] ?? match[2])
  t.ok(installed.length > 5)
  t.strictSame(installed.filter(name => name === undefined || !packages.split(' ').includes(name)), [])
})

t.test('has a licence, and no registry in its lock file', async t => {
  t.match(read('LICENSE'), /^MIT License/)
  t.notMatch(read('package-lock.json'), /"resolved"/)
})
