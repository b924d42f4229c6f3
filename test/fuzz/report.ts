import type { Failure, Result } from './fuzz.js'

/** Findings and cases of a failure that are shown; a batch that breaks the server has many. */
const MOST_FINDINGS = 10
const MOST_CASES = 10

/** Whether nothing was found. */
export function passes ({ failure, memory }: Result): boolean {
  return failure === undefined && (memory?.findings.length ?? 0) === 0
}

/** A result as text. */
export function formatResult (result: Result): string {
  const { options: { subject, profile, seed }, tally, failure, memory, seconds } = result
  return [
    '',
    `${subject}, profile ${profile}, seed ${seed}: ${tally.cases} cases in ${seconds.toFixed()} s`,
    '',
    ...tally.format(),
    ...(memory === undefined
      ? []
      : [`memory after warm-up: alive ${memory.before.aliveMiB.toFixed(1)} MiB, resident ${memory.before.rssMiB.toFixed(1)} MiB; at the end: ${memory.after.aliveMiB.toFixed(1)} and ${memory.after.rssMiB.toFixed(1)}`,
          ...memory.findings.map(finding => `VIOLATION ${finding}`)]),
    ...(failure === undefined ? [] : formatFailure(failure, result)),
    passes(result) ? 'passed' : 'FAILED'
  ].join('\n')
}

function formatFailure ({ findings, cases, path }: Failure, { options: { subject, profile, seed, batch } }: Result): string[] {
  // Where it is known which cases it was, these are enough.
  const known = [...new Set(findings.flatMap(({ input }) => input ?? []))]
  const shown = known.length > 0 ? known : cases
  return [
    ...findings.slice(0, MOST_FINDINGS).map(({ what }) => `VIOLATION ${what}`),
    ...andMore(findings, MOST_FINDINGS),
    '',
    'what was sent (Latin-1, one line for each connection, with the cuts between its writes):',
    ...shown.slice(0, MOST_CASES).map(({ kind, bytes, cuts }) => `${kind} [${cuts.join()}] ${escape(bytes)}`),
    ...andMore(shown, MOST_CASES),
    '',
    `to repeat it: npm run fuzz -- --subject ${subject} --profile ${profile} --batch ${batch} --seed ${seed} --path ${path}`
  ]
}

/** As a string of JavaScript, of visible ASCII only. */
function escape (bytes: string): string {
  return JSON.stringify(bytes).replace(/[^ -~]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function andMore (all: readonly unknown[], most: number): string[] {
  return all.length > most ? [`and ${all.length - most} more`] : []
}
