import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

t.test('names every room of src in its README, and none that is not there', async t => {
  const [, table] = /\| where \| what it is about \|\n\|---\|---\|\n((?:\|.*\n)*)/.exec(readFileSync('src/README.md', 'utf8')) ?? []
  const places = String(table).split('\n').map(row => row.split(' | ')[0] ?? '')
  const named = places.flatMap(place => [...place.matchAll(/`([^`]+)`/g)].map(match => match[1]))
  const rooms = readdirSync('src', { withFileTypes: true }).map(entry => entry.isDirectory() ? `${entry.name}/` : entry.name)
  t.strictSame(named.sort(), rooms.filter(name => name !== 'README.md').sort())
})
