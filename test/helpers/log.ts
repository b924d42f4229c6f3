/** A log that a test reads: everything, at every level. */
export function createLog () {
  const lines: string[] = []
  return {
    logger: { level: 'trace', stream: { write (line: string) { lines.push(line) } } },
    lines,
    /** The lines of requests, without time and duration. */
    answered (): object[] {
      return lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'answered')
        .map(({ level, time, pid, hostname, msg, durationMs, ...line }) => ({ ...line, hasDuration: typeof durationMs === 'number' }))
    }
  }
}
