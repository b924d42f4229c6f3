import { readFileSync } from 'node:fs'
import t from 'tap'
import { send } from '../helpers/app.js'
import { startBroker } from '../helpers/broker.js'
import { readTable } from '../helpers/markdown.js'
import { startMeasuredApp } from '../helpers/measured-app.js'

const DOCS = readFileSync('docs/metrics.md', 'utf8')

const skip = process.platform === 'linux' ? false : 'some figures of the process exist on Linux only'

const unquote = (cell = '') => cell.replaceAll('`', '')
const metrics = readTable(DOCS, '| name | type | labels | unit | meaning | alarm on |').map(([name, type, labels, unit = '', meaning = '', alarm]) => ({
  name: unquote(name), type, labels: unquote(labels).split(', ').filter(label => label !== '').sort(), unit, meaning, alarm
}))

async function scrapeBusyApp () {
  const broker = await startBroker(t)
  const { app, scrape } = await startMeasuredApp(t, broker.url)
  await app.mqtt.whenConnected()
  await send(app)
  return await scrape()
}

t.test('docs/metrics.md has each metric of a scrape, with its type and labels, and no other', { skip }, async t => {
  const { families } = await scrapeBusyApp()
  t.strictSame(metrics.map(({ name }) => name).sort(), [...families.keys()].sort())
  for (const { name, type, labels, unit, meaning } of metrics) {
    const family = families.get(name)
    t.equal(type, family?.type, name)
    const seen = new Set(family?.samples.flatMap(sample => Object.keys(sample.labels)).filter(label => label !== 'le'))
    // A metric of the process may have nothing to show just then, such as no garbage collection.
    if (family?.samples.length !== 0) t.strictSame(labels, [...seen].sort(), name)
    if (name.startsWith('messenger_')) t.equal(meaning, family?.help, name)
    t.equal(unit === 'seconds', /_seconds(_total)?$/.test(name), name)
    t.equal(unit === 'bytes', name.endsWith('_bytes'), name)
    t.ok(unit !== '' && meaning !== '', name)
  }
})

t.test('docs/metrics.md has something to alarm on for each metric of the messenger', async t => {
  for (const { name, alarm } of metrics.filter(({ name }) => name.startsWith('messenger_'))) t.ok(alarm, name)
})

t.test('docs/metrics.md has each outcome and reason of a scrape, and no other', async t => {
  const { families } = await scrapeBusyApp()
  const series = families.get('messenger_commands_total')?.samples.map(({ labels: { outcome, reason } }) => [outcome, reason])
  t.strictSame(readTable(DOCS, '| outcome | reason | answer |').map(([outcome, reason]) => [unquote(outcome), unquote(reason)]), series)
})

t.test('docs/metrics.md asks for metrics that there are', async t => {
  const { families } = await scrapeBusyApp()
  const known = [...families.values()].flatMap(({ name, type }) => type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])
  const queries = [...DOCS.matchAll(/```promql\n([\s\S]*?)```/g)].map(match => match[1] ?? '')
  t.equal(queries.length, 3)
  for (const name of queries.flatMap(query => query.match(/\bmessenger_\w+/g) ?? [])) t.ok(known.includes(name), name)
})
