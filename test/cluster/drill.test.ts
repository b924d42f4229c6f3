import t from 'tap'
import { skipWithoutRabbitmq } from '../helpers/rabbitmq.js'
import { skipWithoutRedis } from '../helpers/redis.js'
import { createFolder } from '../helpers/program.js'
import { paste, skipWithout } from '../helpers/shell.js'
import { until } from '../helpers/until.js'

/** Builds, three RabbitMQ nodes, and a stop, on a busy machine, in milliseconds. */
const LIMIT_MS = 280_000

t.test('keeps its promises while a broker node and a replica are killed and all replicas restarted', {
  skip: skipWithoutRabbitmq || skipWithoutRedis || skipWithout('nginx')
}, async t => {
  const { output } = paste(t, `${process.cwd()}/deploy/cluster/run-drill --seconds 40 --rate 60; echo "exit code $?"`, createFolder(t))
  await until(() => output.stdout.includes('exit code'), 'the end of the drill', LIMIT_MS)
  t.comment(output.all)
  // From its figures on, with what it says of errors: what a failure has to show is at the end.
  t.match(output.all.slice(Math.max(0, output.all.search(/^sent /m))), /^violations 0 0 0\nexit code 0$/m)
  for (const line of ['SIGKILL of a broker node', 'the broker node is back', 'SIGKILL of a replica', 'the rolling restart is over']) {
    t.ok(output.stdout.includes(line), line)
  }
})
