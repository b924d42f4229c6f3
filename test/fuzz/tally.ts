import { KINDS, type Kind } from './cases/case.js'
import { readProblem } from './check-answer.js'
import { pairsOf, type Exchange } from './judge.js'
import { LAYERS, type Layer } from './model/expect.js'

/** What was answered where the connection ended without an answer. */
const NO_ANSWER = 'none'

/** Counts what a run has sent, and what came of it. */
export function createTally () {
  const cases = new Map<Kind, number>()
  const answers = new Map<Kind, Map<string, number>>()
  const layers = new Map<Layer, number>()
  const codes = new Map<string, number>()
  let total = 0

  function count<K> (counts: Map<K, number>, key: K): void {
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }

  function add (exchange: Exchange): void {
    const { input: { kind }, expected, hearing, stream } = exchange
    total += 1
    count(cases, kind)
    const row = answers.get(kind) ?? new Map<string, number>()
    answers.set(kind, row)
    for (const { answer } of pairsOf(exchange)) {
      count(row, String(answer.status))
      count(codes, String(readProblem(answer)?.code ?? answer.status))
    }
    if (hearing.answers.length === 0) count(row, NO_ANSWER)
    for (const { layer } of expected) count(layers, layer)
    // What is no request is the parser's to answer.
    if (stream.end !== 'clean') count(layers, 'parser')
  }

  return {
    add,
    get cases () { return total },
    /** How many requests should get how far. */
    get layers () { return new Map(LAYERS.map(layer => [layer, layers.get(layer) ?? 0])) },
    /** Answers by their code, and successes by their status. */
    get codes () { return codes },
    /** Lines of a table: cases by kind, and their answers by status. */
    format (): string[] {
      const statuses = [...new Set([...answers.values()].flatMap(row => [...row.keys()]))].sort()
      const line = (cells: ReadonlyArray<string | number>) => cells.map((cell, index) => index === 0 ? String(cell).padEnd(12) : String(cell).padStart(8)).join('')
      return [
        line(['kind', 'cases', ...statuses]),
        ...KINDS.map(kind => line([kind, cases.get(kind) ?? 0, ...statuses.map(status => answers.get(kind)?.get(status) ?? 0)])),
        '',
        `requests by the layer that decides: ${LAYERS.map(layer => `${layer} ${layers.get(layer) ?? 0}`).join(', ')}`,
        `answers by code: ${[...codes].sort(([, a], [, b]) => b - a).map(([code, times]) => `${code} ${times}`).join(', ')}`
      ]
    }
  }
}
