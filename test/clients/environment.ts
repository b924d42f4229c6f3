/** A variable as both clients have it, and more. */
interface Variable {
  readonly key: string
}

/** An environment as Postman (`values`) or Hoppscotch (`variables`) exports it. */
interface Environment {
  readonly values?: readonly Variable[]
  readonly variables?: readonly Variable[]
}

/**
 * Fills in an environment.
 * @param text JSON, as exported
 * @throws where a variable of it has no value
 */
export function fillIn (text: string, values: Readonly<Record<string, string>>): string {
  const environment: Environment = JSON.parse(text)
  const fill = (variable: Variable) => {
    const value = values[variable.key]
    if (value === undefined) throw new Error(`the environment has ${variable.key}, for which there is no value`)
    // The clients would ask for what is secret elsewhere.
    return { ...variable, value, ...('secret' in variable && { secret: false }) }
  }
  return JSON.stringify({
    ...environment,
    ...(environment.values !== undefined && { values: environment.values.map(fill) }),
    ...(environment.variables !== undefined && { variables: environment.variables.map(fill) })
  })
}
