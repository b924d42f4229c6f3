import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/helpers/ports.js'
import { runGroup, SERVER } from '../../test/helpers/rabbitmq.js'
import type { Scope } from '../../test/helpers/scope.js'
import { until } from '../../test/helpers/until.js'

/** Users of the brokers: who sends commands, and who plays every device. */
export const MESSENGER = { username: 'messenger', password: 'secret of the messenger' }
export const DEVICES = { username: 'devices', password: 'secret of the devices' }

const COUNT = 3

/** Three starts in a row on a busy machine, in milliseconds. */
const START_MS = 120_000

const DEFINITIONS = {
  vhosts: [{ name: '/' }],
  users: [MESSENGER, DEVICES].map(({ username, password }) => ({ name: username, password, tags: '' })),
  permissions: [
    { user: MESSENGER.username, vhost: '/', configure: '', write: '^amq\\.topic$', read: '' },
    { user: DEVICES.username, vhost: '/', configure: '^mqtt-subscription-', write: '^mqtt-subscription-', read: '^(mqtt-subscription-.*|amq\\.topic)$' }
  ],
  // A queue lives on every node, and what is in it is acknowledged once all of them have it.
  policies: [{ vhost: '/', name: 'mirrored', pattern: '^mqtt-subscription-', 'apply-to': 'queues', definition: { 'ha-mode': 'all', 'ha-sync-mode': 'automatic' } }]
}

export type BrokerNode = Awaited<ReturnType<typeof startBrokerNodes>>[number]

/** A cluster of three RabbitMQ nodes under `dir`, with a port mapper and a cookie of its own, stopped with the scope. */
export async function startBrokerNodes (scope: Scope, dir: string) {
  const epmdPort = String(await freePort())
  const mapper = { PATH: process.env.PATH, HOME: dir, LANG: 'C.UTF-8', ERL_EPMD_ADDRESS: '127.0.0.1', ERL_EPMD_PORT: epmdPort }
  const epmd = runGroup('epmd', ['-port', epmdPort, '-address', '127.0.0.1'], mapper)
  scope.teardown(() => epmd.stop('SIGTERM'))
  // Node names are looked up at the port mapper, which is ours alone.
  const names = Array.from({ length: COUNT }, (_, index) => `messenger-${index + 1}@localhost`)
  writeFileSync(join(dir, 'definitions.json'), JSON.stringify(DEFINITIONS))
  writeFileSync(join(dir, 'enabled_plugins'), '[rabbitmq_mqtt].')
  const nodes = []
  for (const [index, name] of names.entries()) nodes.push(await createNode(scope, { dir, name, names: index === 0 ? [name] : names, env: mapper }))
  const [first, ...others] = nodes
  // The first makes the cluster, the others join it; all at once they would wait for each other.
  await first?.start()
  await Promise.all(others.map(node => node.start()))
  return nodes
}

interface NodeOptions {
  readonly dir: string
  readonly name: string
  /** Nodes it looks for when it starts for the first time. */
  readonly names: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

async function createNode (scope: Scope, { dir, name, names, env }: NodeOptions) {
  const [port, distributionPort] = [await freePort(), await freePort()]
  const home = join(dir, name)
  mkdirSync(home)
  writeFileSync(join(home, 'rabbitmq.conf'), [
    'listeners.tcp = none',
    `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
    'mqtt.allow_anonymous = false',
    'mqtt.prefetch = 500',
    'log.console = true', 'log.file = false',
    `load_definitions = ${join(dir, 'definitions.json')}`,
    'cluster_partition_handling = pause_minority',
    'cluster_formation.peer_discovery_backend = rabbit_peer_discovery_classic_config',
    ...names.map((one, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${one}`), ''
  ].join('\n'))
  const settings = {
    ...env,
    RABBITMQ_NODENAME: name,
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_DIST_PORT: String(distributionPort),
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_CRASH_DUMP_BYTES: '0'
  }
  let server: ReturnType<typeof runGroup> | undefined

  async function start (): Promise<void> {
    const started = runGroup(SERVER, [], settings)
    server = started
    await until(() => started.ended || started.said.includes('Server startup complete'), `the start of ${name}`, START_MS)
    if (started.ended) throw new Error(`${name} ended: ${started.said}`)
  }

  async function stop (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await server?.stop(signal)
    server = undefined
  }

  // Nothing of it is kept, so it need not say goodbye.
  scope.teardown(() => stop())
  return { name, port, url: `mqtt://127.0.0.1:${port}`, start, stop }
}
