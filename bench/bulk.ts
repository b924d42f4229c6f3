import { runLoad } from './load.js'
import { median, type Bench } from './measure.js'
import { readCpuUs } from './proc.js'
import { BODIES, PATH } from './request.js'
import { startMessenger, type Subject } from './subjects.js'

/** CPU of one bulk request of 1,000 commands over that of 1,000 single ones: the goal. */
export const BULK_RATIO_GOAL = 1 / 3

/** Commands of one bulk request: the most that it may have. */
const COMMANDS = 1000

/** Commands before the first round, of each kind: by then V8 has compiled what it will. */
const WARM_UP = 40_000

/** CPU of a command, in microseconds, by how it was sent. */
interface Round {
  readonly singleUs: number
  readonly bulkUs: number
}

/** What the rounds came to. */
export interface BulkReport {
  readonly rounds: readonly Round[]
  /** Bulk over single, by round. */
  readonly ratios: readonly number[]
  readonly ratio: number
}

/** Length of the rounds. */
export interface BulkOptions {
  readonly rounds: number
  /** Of each load of single commands, about. */
  readonly seconds: number
}

/** Commands a second, about, by which the length of a load becomes their number. */
const RATE = 10_000

/** Sends the same number of commands to one messenger turn by turn, each by itself and 1,000 at a time. */
export async function runBulk (bench: Bench, options: BulkOptions): Promise<BulkReport> {
  const subject = await startMessenger(bench.credentials, bench.broker)
  const bulks = options.seconds * RATE / COMMANDS
  await loadBoth(bench, subject, WARM_UP / COMMANDS)
  const rounds: Round[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const result = await loadBoth(bench, subject, bulks)
    rounds.push(result)
    bench.say(`bulk ${round}/${options.rounds}: ${bulks * COMMANDS} commands of each kind, ` +
      `single ${result.singleUs.toFixed(1)}, bulk ${result.bulkUs.toFixed(1)} µs CPU each`)
  }
  await subject.stop()
  const ratios = rounds.map(({ singleUs, bulkUs }) => bulkUs / singleUs)
  return { rounds, ratios, ratio: median(ratios) }
}

async function loadBoth ({ broker, credentials: { headers }, connections }: Bench, subject: Subject, bulks: number): Promise<Round> {
  const commands = bulks * COMMANDS
  const cpuOf = async (job: Pick<Parameters<typeof runLoad>[0], 'url' | 'bodies' | 'connections' | 'amount'>): Promise<number> => {
    const beforeUs = readCpuUs(subject.pid)
    await runLoad({ headers, ...job })
    const usedUs = readCpuUs(subject.pid) - beforeUs
    // The answer to a bulk is 200 whatever became of its commands: the deliveries show it.
    await broker.settle(commands)
    return usedUs / commands
  }
  return {
    singleUs: await cpuOf({ url: subject.url, bodies: BODIES, connections, amount: commands }),
    bulkUs: await cpuOf({ url: subject.url.replace(PATH, `${PATH}/bulk`), bodies: [BULK_BODY], connections: 1, amount: bulks })
  }
}

/** All of {@link BODIES} in turn, in one request. */
const BULK_BODY = `{"commands":[${Array.from({ length: COMMANDS }, (_, n) => BODIES[n % BODIES.length]).join(',')}]}`
