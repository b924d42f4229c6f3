import { createScope, endOnInterrupt } from '../../test/helpers/scope.js'
import { startCluster } from './cluster.js'

const scope = createScope()
const say = (line: string) => { process.stdout.write(`${line}\n`) }
endOnInterrupt(() => scope.close())

try {
  const { nginx, brokers, replicas, redis, token } = await startCluster(scope, say)
  say(`nginx     ${nginx.url}`)
  for (const { port } of replicas) say(`replica   http://127.0.0.1:${port}`)
  for (const { name, url } of brokers) say(`broker    ${url} (${name})`)
  say(`redis     ${redis.url}`)
  say(`token     ${token}`)
  say('ready')
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  process.exitCode = 1
  await scope.close()
}
