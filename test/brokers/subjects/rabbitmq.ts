import type { Test } from 'tap'
import { IMEI } from '../../helpers/app.js'
import { startRabbitmq } from '../../helpers/rabbitmq.js'
import { readBlock, readEnv } from '../docs.js'
import { AUDITOR, OTHER, type Broker } from './broker.js'

const SECTION = 'RabbitMQ 3.10'

/** A virtual host beside that of the page, where the policy of the page drops after a second. */
const STRICT = 'strict'

type Entry = Readonly<Record<string, unknown>>
type Definitions = Readonly<Record<'vhosts' | 'users' | 'permissions' | 'topic_permissions' | 'policies', readonly Entry[]>>

/** RabbitMQ with the files of its section, for another device and {@link AUDITOR} too. */
export async function startSecuredRabbitmq (t: Test): Promise<Broker> {
  const env = readEnv(SECTION)
  const documented = JSON.parse(readBlock(SECTION, 'json')) as Definitions
  const broker = await startRabbitmq(t, {
    config: [readBlock(SECTION, 'conf').replaceAll('/etc/rabbitmq/', '{dir}/')],
    files: { 'definitions.json': JSON.stringify(extend(documented)) }
  })
  const password = String(documented.users.find(({ name }) => name === IMEI)?.password)
  const device = { protocolVersion: 4 as const, clientId: IMEI, username: IMEI, password }
  return {
    ...broker,
    version: `RabbitMQ ${broker.version}`,
    env,
    device,
    other: { ...device, clientId: OTHER, username: OTHER },
    auditor: { protocolVersion: 4, ...AUDITOR },
    policy: {
      env: { ...env, MQTT_USERNAME: `${STRICT}:${env.MQTT_USERNAME}` },
      device: { ...device, username: `${STRICT}:${IMEI}` }
    }
  }
}

function extend ({ vhosts, users, permissions, topic_permissions: topicPermissions, policies }: Definitions): Definitions {
  return {
    vhosts: [...vhosts, { name: STRICT }],
    users: [...users, ...users.filter(({ name }) => name === IMEI).map(asOther), { name: AUDITOR.username, password: AUDITOR.password, tags: '' }],
    permissions: [
      ...permissions,
      ...permissions.filter(({ user }) => user === IMEI).map(asOther),
      ...permissions.map(permission => ({ ...permission, vhost: STRICT })),
      { user: AUDITOR.username, vhost: '/', configure: '.*', write: '.*', read: '.*' }
    ],
    topic_permissions: [...topicPermissions, ...topicPermissions.filter(({ user }) => user === IMEI).map(asOther)],
    policies: [...policies, ...policies.map(policy => ({ ...policy, vhost: STRICT, definition: { 'message-ttl': 1000 } }))]
  }
}

function asOther (entry: Entry): Entry {
  return JSON.parse(JSON.stringify(entry).replaceAll(IMEI, OTHER))
}
