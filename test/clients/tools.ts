/** A client that runs collections on the command line. */
export interface Tool {
  /** What is run, with its collection. */
  readonly command: readonly string[]
  /** What tells that it is there. */
  readonly probe: readonly string[]
  /** Its environment: what a person fills in. */
  readonly environment: string
}

// Not dependencies of ours: newman has 140 packages, and the CLI of Hoppscotch does not run on Node.js 20. No script of theirs is run.
const NEWMAN = ['npx', '--yes', '--ignore-scripts', '--package=newman@6.2.2', '--', 'newman']
// The script of node@22 brings the program itself.
const HOPP = ['npx', '--yes', '--package=node@22', '--', 'npx', '--yes', '--ignore-scripts', '--package=@hoppscotch/cli@0.31.4', '--', 'hopp']

/** By name. The file of the environment is the last argument. */
export const TOOLS: Readonly<Record<string, Tool>> = {
  postman: {
    command: [...NEWMAN, 'run', 'examples/messenger.postman_collection.json', '--environment'],
    probe: [...NEWMAN, '--version'],
    environment: 'examples/messenger.postman_environment.json'
  },
  hoppscotch: {
    command: [...HOPP, 'test', 'examples/messenger.hoppscotch.json', '--env'],
    probe: [...HOPP, '--ver'],
    environment: 'examples/messenger.hoppscotch_environment.json'
  }
}
