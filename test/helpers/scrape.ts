import { parsePrometheusText } from './prometheus-text.js'

/** What Prometheus gets from this port of the loopback, parsed. */
export async function scrape (port: number) {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })
  const text = await response.text()
  const families = parsePrometheusText(text)

  /** The series of a name, as `label=value,...` or nothing, with their values. */
  function seriesOf (name: string): Record<string, number> {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
    const samples = family?.samples.filter(sample => sample.name === name) ?? []
    return Object.fromEntries(samples.map(({ labels, value }) => [Object.entries(labels).map(pair => pair.join('=')).sort().join(), value]))
  }

  return {
    response,
    text,
    families,
    /** Number of series, of all names together. */
    get seriesCount () { return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0) },
    seriesOf,
    /** The value of a name that has no labels. */
    value: (name: string) => seriesOf(name)[''],
    /** Outcomes counted so far, those that never came left out, as `outcome/reason`. */
    get commands () {
      const samples = families.get('messenger_commands_total')?.samples ?? []
      return Object.fromEntries(samples.filter(({ value }) => value > 0).map(({ labels: { outcome, reason }, value }) => [`${outcome}/${reason}`, value]))
    }
  }
}
