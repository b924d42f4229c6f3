/** The configuration cannot be used. The message lists every fault, one a line, and no secret's value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  /** @param faults what is wrong, each beginning with the variable's name */
  constructor (readonly faults: readonly string[]) {
    super(`The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n` +
      faults.map(fault => `  - ${fault}`).join('\n'))
  }
}

export type Faults = ReturnType<typeof collectFaults>

/** Gathers faults, so that a start-up error can list all of them at once. */
export function collectFaults () {
  const lines = new Set<string>()

  function add (variable: string, text: string): void {
    lines.add(`${variable} ${text}`)
  }

  /**
   * Runs a check that may throw, and makes a fault of what it throws.
   * @returns what the check returned, or undefined where it threw
   */
  function attempt<T> (variable: string, check: () => T): T | undefined {
    try {
      return check()
    } catch (error) {
      add(variable, error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  /** @throws {ConfigError} where there is any fault */
  function assertNone (): void {
    if (lines.size > 0) throw new ConfigError([...lines])
  }

  return { add, attempt, assertNone }
}
