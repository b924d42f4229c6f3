/** One line of values. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric with all its series. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`)
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] }

/**
 * Parses what Prometheus scrapes (text format 0.0.4), more strictly than Prometheus does: help and type come first,
 * counters end in `_total`, no series comes twice, and the buckets of a histogram add up.
 * @throws at the first fault
 */
export function parsePrometheusText (text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, Family>()
  for (const block of text.slice(0, -1).split('\n\n')) {
    const [helpLine = '', typeLine = '', ...lines] = block.split('\n')
    const [, name = '', help = ''] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(helpLine) ?? fail(helpLine)
    const [, typed, type = ''] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(typeLine) ?? fail(typeLine)
    if (typed !== name || families.has(name)) fail(typeLine)
    if (type === 'counter' && !name.endsWith('_total')) fail(typeLine)
    const samples = lines.map(line => parseSample(line, SUFFIXES[type]?.map(suffix => name + suffix) ?? []))
    const series = lines.map(line => line.slice(0, line.lastIndexOf(' ')).replace(/\{(.*)\}/, (_, labels: string) => labels.split(',').sort().join()))
    if (new Set(series).size !== series.length) throw new Error(`${name} has a series twice`)
    if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is negative`)
    if (type === 'histogram') checkBuckets(name, samples)
    families.set(name, { name, help, type, samples })
  }
  return families
}

function parseSample (line: string, names: readonly string[]): Sample {
  const [, name = '', labelText = '', value = ''] = SAMPLE.exec(line) ?? fail(line)
  if (!names.includes(name) || !NUMBER.test(value)) fail(line)
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < labelText.length) {
    const [, label = '', text = ''] = LABEL.exec(labelText) ?? fail(line)
    if (label in labels) fail(line)
    labels[label] = text.replace(/\\(.)/g, (_, escaped: string) => escaped === 'n' ? '\n' : escaped)
  }
  return { name, labels, value: parseNumber(value) }
}

function parseNumber (text: string): number {
  return /inf$/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text)
}

/** Every series of a histogram has rising buckets, the last of which holds all, one sum and one count. */
function checkBuckets (name: string, samples: readonly Sample[]): void {
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(Object.entries(labels).sort())
    groups.set(key, [...groups.get(key) ?? [], sample])
  }
  for (const [labels, group] of groups) {
    const named = (suffix: string) => group.filter(sample => sample.name === name + suffix)
    const buckets = named('_bucket').map(({ labels: { le = '' }, value }) => ({ le: parseNumber(le), value }))
    const rises = buckets.every(({ le, value }, index) => {
      const before = buckets[index - 1] ?? { le: -Infinity, value: 0 }
      return le > before.le && value >= before.value
    })
    const last = buckets.at(-1)
    const isWhole = named('_sum').length === 1 && named('_count').length === 1 && last?.le === Infinity && last.value === named('_count')[0]?.value
    if (!rises || !isWhole) throw new Error(`${name} ${labels} does not add up`)
  }
}

function fail (line: string): never {
  throw new Error(`not the text format: ${line}`)
}
