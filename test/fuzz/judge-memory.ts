import type { Memory } from './subjects/subject.js'

/** Growth that is allowed after the warm-up. */
const MOST_GROWTH = 0.2

/** Compares what a server held after the warm-up with what it holds at the end. */
export function judgeMemory (before: Memory, after: Memory) {
  const grown = (key: keyof Memory) => after[key] > before[key] * (1 + MOST_GROWTH)
  const findings = (['aliveMiB', 'rssMiB'] as const).filter(grown)
    .map(key => `memory (${key === 'rssMiB' ? 'resident' : 'alive'}) grew from ${before[key].toFixed(1)} to ${after[key].toFixed(1)} MiB`)
  return { before, after, findings }
}
